import { afterEach, expect, test, vi } from 'vitest';
import { createActor } from 'xstate';
import { hostProcess } from '../../actors/detector-host.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';
import { commandLine, descendants, environment, isAlive } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the process of the detectors gets no password of main', async () => {
  vi.stubEnv('SENTRYBUS_ADMIN_PASSWORD', 's3cret');
  const folder = await temporaryFolder();
  const order = {
    bus: { servers: ['127.0.0.1:1'] },
    configDir: folder,
    storageDir: folder,
    log: { foldAfter: 5, printDebug: false },
  };
  const actor = createActor(hostProcess(() => order));
  actor.start();
  const pid = await waitFor(
    () => descendants(process.pid).find((each) => commandLine(each).includes('detectors/host.js')),
    10_000,
    'the process',
  );
  atEnd(() => waitFor(() => !isAlive(pid), 5000, 'its end').then(() => {}));
  const variables = environment(pid);
  actor.stop();
  expect(variables.some((each) => each.startsWith('PATH='))).toBe(true);
  expect(variables.filter((each) => each.includes('s3cret'))).toEqual([]);
});
