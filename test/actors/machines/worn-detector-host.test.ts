import { spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { createActor } from 'xstate';
import { detectorHostMachine, hostProcess } from '../../../actors/machines/detector-host.ts';
import { atEnd } from '../../support/cleanup.ts';
import { isAlive } from '../../support/processes.ts';
import { waitFor } from '../../support/wait.ts';

/** In the place of the detector host: may start no more decoders shortly after its start, and ends when it is asked to. */
const program = `
process.send('ready');
setTimeout(() => process.send('worn'), 200);
process.on('message', (order) => order === 'stop' && process.exit());
`;
const started = vi.hoisted(() => [] as number[]);
vi.mock('node:child_process', async (original) => ({
  ...(await original<object>()),
  fork: () => {
    const child = spawn(process.execPath, ['--eval', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    started.push(child.pid ?? 0);
    return child;
  },
}));

test('a process that has started too many decoders is asked to end, and the next one begins at once', async () => {
  const order = {
    bus: { servers: ['127.0.0.1:1'] },
    ...{ configDir: '/nowhere', storageDir: '/nowhere', log: { repeatLimit: 5, printDebug: false } },
  };
  const reasons: string[] = [];
  let ready = 0;
  const actor = createActor(
    detectorHostMachine.provide({
      actors: { process: hostProcess(() => order) },
      actions: {
        announce: () => {
          ready += 1;
        },
        report: (_, { how }) => {
          reasons.push(how);
        },
      },
    }),
  );
  atEnd(async () => void actor.stop());
  actor.start();
  await waitFor(() => ready >= 2, 10_000, 'the next process');
  expect(reasons[0]).toBe('has started many decoders');
  expect(isAlive(started[0] ?? 0)).toBe(false);
});
