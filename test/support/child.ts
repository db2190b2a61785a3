import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { atEnd } from './cleanup.ts';
import { waitFor } from './wait.ts';

/** A program that a test runs. It is ended with the test, and by the kernel if the test's process dies. */
export interface Child {
  readonly pid: number;
  /** What it printed, standard error included, oldest first. */
  readonly lines: readonly string[];
  /** Resolves with the exit code or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Waits for a line, old or new, that matches. @throws when the program ends or the time is over before. */
  line(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** Ends it (SIGTERM, and SIGKILL after twenty seconds) and waits for that. @returns as `exited` */
  stop(): Promise<number | NodeJS.Signals>;
  /** `kill -9`, awaited. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const keptLines = 5000;

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('setpriv cannot be run');

  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
    });
  }
  let end: number | NodeJS.Signals | undefined;
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('exit', (code, signal) => {
      end = code ?? signal ?? 'SIGKILL';
      resolve(end);
    });
  });

  const signal = (name: NodeJS.Signals) => {
    if (end === undefined) child.kill(name);
  };
  const self: Child = {
    pid,
    lines,
    exited,
    async line(pattern, timeout = 15_000) {
      const found = await waitFor(
        () => match(lines, pattern) ?? (end === undefined ? undefined : 'ended'),
        timeout,
        `${pattern} in the output of ${command}:\n${lines.slice(-30).join('\n')}`,
      );
      if (found !== 'ended') return found;
      throw new Error(
        `${command} ended (${end}) without printing ${pattern}:\n${lines.slice(-30).join('\n')}`,
      );
    },
    signal,
    async stop() {
      // One that a test has frozen could not hear the first.
      signal('SIGCONT');
      signal('SIGTERM');
      const timer = setTimeout(signal, 20_000, 'SIGKILL');
      await exited;
      clearTimeout(timer);
      return exited;
    },
    async kill() {
      signal('SIGKILL');
      await exited;
    },
  };
  atEnd(async () => void (await self.stop()));
  return self;
}

function match(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const found = pattern.exec(line);
    if (found) return found;
  }
  return undefined;
}
