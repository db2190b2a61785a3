import { execFile } from 'node:child_process';

export interface CommandResult {
  /** Its exit code; 127 if there is no such program. */
  readonly code: number;
  readonly output: string;
}

/** Runs programs of the system. */
export type RunCommand = (file: string, ...args: readonly string[]) => Promise<CommandResult>;

/** A failure that is explained in its message alone. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code = 'service_failed';
}

const maxOutputBytes = 10_000_000;

/** Runs a program without a shell, in English. Never rejects. */
export const runCommand: RunCommand = (file, ...args) =>
  new Promise((resolve) => {
    const options = { env: { ...process.env, LC_ALL: 'C.UTF-8' }, maxBuffer: maxOutputBytes };
    execFile(file, args, options, (error, stdout, stderr) => {
      const code = !error ? 0 : typeof error.code === 'number' ? error.code : 127;
      resolve({ code, output: `${stdout}${stderr}`.trim() });
    });
  });

/** @returns the output. @throws {ServiceError} when it fails, with its own words. */
export async function mustRun(run: RunCommand, file: string, ...args: readonly string[]): Promise<string> {
  const { code, output } = await run(file, ...args);
  if (code === 0) return output;
  throw new ServiceError(`${[file, ...args].join(' ')}: ${output || `ended with ${code}`}`);
}
