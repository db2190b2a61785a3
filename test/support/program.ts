import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { atEnd } from './cleanup.ts';
import { project } from './project.ts';

export interface ProgramEnd {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs one of the programs beside the recorder, as `npm run` does once everything is built. @param name of its function. */
export function runProgram(script: string, name: string, args: readonly string[]): Promise<ProgramEnd> {
  const path = join(project, 'dist/modules/actors/startup', `${script}.js`);
  const entry = `import { ${name} } from ${JSON.stringify(path)};
process.exitCode = await ${name}(process.argv.slice(1));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', entry, '--', ...args]);
  atEnd(async () => void child.kill('SIGKILL'));
  let [output, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    output += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}
