import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunCommand } from '../base/system-commands.ts';
import { type RunningPlace, serviceName } from './service-unit.ts';

/** Starts and stops the recorder of a clone, to see whether it serves. */
export interface RecorderTrial {
  stop(): Promise<void>;
  /** @returns whether it serves within the time limit. */
  serves(withinMs: number): Promise<boolean>;
}

const pollMs = 500;

/** The service: it goes on when it serves. */
export function serviceTrial(run: RunCommand): RecorderTrial {
  return {
    stop: async () => void (await run('systemctl', 'stop', serviceName)),
    async serves(withinMs) {
      await run('systemctl', 'start', '--no-block', serviceName);
      // systemd calls it active once it has said that it serves.
      for (const end = Date.now() + withinMs; Date.now() < end; await sleep(pollMs)) {
        if ((await run('systemctl', 'is-active', '--quiet', serviceName)).code === 0) return true;
      }
      return false;
    },
  };
}

/** A recorder that is started by hand: it is stopped again when it has served. */
export function terminalTrial({
  project,
  configFile,
  workingDir,
}: Omit<RunningPlace, 'isTieBreaker'>): RecorderTrial {
  let child: ChildProcess | undefined;
  const stop = async () => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    child = undefined;
  };
  return {
    stop,
    async serves(withinMs) {
      const args = [join(project, 'setup.mjs'), 'serve', '--config', configFile];
      const started = spawn(process.execPath, args, {
        cwd: workingDir,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = started;
      const lines = createInterface({ input: started.stdout });
      const serving = new Promise<boolean>((resolve) => {
        lines.on('line', (line) => {
          if (line.startsWith('Serving ')) resolve(true);
        });
        started.on('exit', () => resolve(false));
        started.on('error', () => resolve(false));
      });
      const isServing = await Promise.race([serving, sleep(withinMs, false)]);
      await stop();
      return isServing;
    },
  };
}
