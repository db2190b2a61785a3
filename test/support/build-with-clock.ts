import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { project } from './project.ts';

/** A build of the recorder whose processes have a wall clock that a test can set; the bus and the disk have this machine's. */
export interface ClockedBuild {
  /** Its folder, for `startRecorder`. */
  readonly build: string;
  /** Sets the clock of all its processes, within a tenth of a second: so far from the one of this machine. */
  set(aheadMs: number): Promise<void>;
}

export async function buildWithClock(): Promise<ClockedBuild> {
  const folder = await temporaryFolder();
  const [build, setting] = [join(folder, 'dist'), join(folder, 'ahead')];
  await mkdir(build);
  const modules = join(project, 'dist', 'modules');
  await cp(join(project, 'dist'), build, { recursive: true, filter: (path) => path !== modules });
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const set = (aheadMs: number) => writeFile(setting, String(aheadMs));
  await set(0);
  let count = 0;
  for (const name of await readdir(build, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const text = await readFile(join(build, name), 'utf8');
    // One file of each process or thread.
    if (!text.includes('function nowUs()')) continue;
    await writeFile(join(build, name), settable(setting) + text);
    count += 1;
  }
  if (count === 0) throw new Error('nothing in the build asks for the time');
  return { build, set };
}

const settable = (setting: string) => `{
  const { readFileSync } = globalThis.process.getBuiltinModule('node:fs');
  const machine = Date.now.bind(Date);
  let [readMs, aheadMs] = [-1e9, 0];
  Date.now = () => {
    if (performance.now() - readMs > 50) {
      readMs = performance.now();
      const text = readFileSync(${JSON.stringify(setting)}, 'utf8');
      // While it is written, it is empty.
      if (text !== '') aheadMs = Number(text);
    }
    return machine() + aheadMs;
  };
}
`;
