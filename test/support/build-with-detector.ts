import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './folder.ts';
import { project } from './project.ts';

/**
 * Makes a build of the recorder with one more detector in it, by what a developer does: one file, and one line in the
 * registry.
 *
 * @param file of the definition, below the project.
 * @param name under which it exports that.
 * @returns the folder of the build's modules.
 */
export async function buildWithDetector(file: string, name: string): Promise<string> {
  const [clone, compiled] = [await temporaryFolder(), await temporaryFolder()];
  const folder = join(clone, 'dist', 'modules');
  await cp(join(project, 'dist'), join(clone, 'dist'), { recursive: true });
  await symlink(join(project, 'node_modules'), join(clone, 'node_modules'));
  await writeFile(join(clone, 'package.json'), '{ "type": "module" }');

  const config = join(compiled, 'tsconfig.json');
  const compilerOptions = { rootDir: project, outDir: compiled, noCheck: true, types: [] };
  const whole = { extends: join(project, 'tsconfig.json'), compilerOptions, include: [join(project, file)] };
  await writeFile(config, JSON.stringify(whole));
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', config]);
  // What it imports has been compiled as well, and is in the build already.
  const built = file.replace(/\.ts$/, '.js');
  await mkdir(dirname(join(folder, built)), { recursive: true });
  await cp(join(compiled, built), join(folder, built));

  const line = `export { ${name} } from '../../../${built}';\n`;
  await appendFile(join(folder, 'actors/detectors/host/registry.js'), line);
  return folder;
}
