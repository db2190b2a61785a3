import { appendFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { project } from './project.ts';

export interface ClockedBuild {
  /** The folder of the build's modules. */
  readonly build: string;
  /** Sets the clock of all its processes, within a tenth of a second: so far from the one of this machine. */
  set(aheadMs: number): Promise<void>;
}

/** A build of the recorder whose processes have a wall clock that a test can set; the bus and the disk have this machine's. */
export async function buildWithClock(): Promise<ClockedBuild> {
  const folder = await temporaryFolder();
  const [dist, setting] = [join(folder, 'dist'), join(folder, 'ahead')];
  const build = join(dist, 'modules');
  await mkdir(dist);
  await cp(join(project, 'dist'), dist, { recursive: true });
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const set = (aheadMs: number) => writeFile(setting, String(aheadMs));
  await set(0);
  // Every process and thread imports this module.
  await appendFile(
    join(build, 'bus/base/time.js'),
    `
import { readFileSync } from 'node:fs';
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
`,
  );
  return { build, set };
}
