import { afterEach, expect, test, vi } from 'vitest';
import { createActor } from 'xstate';
import { detectorHostMachine, hostProcess } from '../../../actors/machines/detector-host.ts';
import { commands } from '../../../bus/subjects.ts';
import { startTestBus } from '../../support/bus.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { commandLine, descendants, environment, isAlive } from '../../support/processes.ts';
import { waitFor } from '../../support/wait.ts';

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
    log: { repeatLimit: 5, printDebug: false },
  };
  const actor = createActor(hostProcess(() => order));
  actor.start();
  const pid = await waitFor(
    () =>
      descendants(process.pid).find((each) =>
        commandLine(each).includes('detectors/host/detector-host-process.js'),
      ),
    10_000,
    'the process',
  );
  atEnd(() => waitFor(() => !isAlive(pid), 5000, 'its end').then(() => {}));
  const variables = environment(pid);
  actor.stop();
  expect(variables.some((each) => each.startsWith('PATH='))).toBe(true);
  expect(variables.filter((each) => each.includes('s3cret'))).toEqual([]);
});

test('a sender that learns of the process is answered, also by the next process', async () => {
  const { server, bus } = await startTestBus();
  const folder = await temporaryFolder();
  const log = { repeatLimit: 10, printDebug: false };
  const order = { bus: server.address, configDir: folder, storageDir: folder, log };
  const answers: unknown[] = [];
  const off = { detector: 'motion', monitorName: '', maxFrameRate: 0, settings: null, frames: null };
  const announce = () =>
    void bus.request(commands.detect, ['door'], off).then(
      (reply) => answers.push(reply),
      (error) => answers.push(error),
    );
  const actor = createActor(
    detectorHostMachine.provide({ actors: { process: hostProcess(() => order) }, actions: { announce } }),
  );
  atEnd(async () => void actor.stop());
  actor.start();
  const running = () =>
    descendants(process.pid).find((each) =>
      commandLine(each).includes('detectors/host/detector-host-process.js'),
    );
  for (const number of [1, 2, 3]) {
    await waitFor(() => answers.length === number, 15_000, 'an answer');
    // Never 0, which is the process group of the tests themselves.
    process.kill(await waitFor(running, 5000, 'the process'), 'SIGKILL');
  }
  expect(answers).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
});
