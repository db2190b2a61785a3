import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { status } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

test('a camera that breaks again and again does not fill the log, and the count is logged', async () => {
  const rounds = 3;
  const { server, bus } = await startTestBus();
  let streamed = 0;
  bus.subscribe(status, ['door'], ({ state }) => {
    if (state === 'streaming') streamed += 1;
  });
  let camera = await startCamera({ mounts: { main: testMounts.h264() } });
  const { servers, token } = server.address;
  const recorder = await startRecorder({
    config: { bus: { servers, token }, logs: { repeat_limit: 1 } },
    monitors: [rtspMonitor('door', [camera.url('main')])],
  });
  for (let round = 1; round <= rounds; round += 1) {
    await waitFor(() => streamed >= round, 30_000, `the pictures of round ${round}`);
    await camera.kill();
    camera = await camera.restart();
  }
  const streaming = async (from = recorder) =>
    (await from.get<LogEntry[]>('/api/log/query?monitors=door&levels=info&sources=monitor&limit=10000'))
      .map(({ msg }) => msg)
      .filter((msg) => msg.startsWith('streaming'))
      .reverse();
  expect(await streaming()).toEqual(['streaming']);
  // The end of the process tells what a minute more would have told.
  await recorder.stop();
  // The next one begins to stream, too.
  const times = streamed - 1;
  const told = await streaming(await recorder.restart());
  expect(told[1]).toMatch(new RegExp(`^streaming \\(${times} more times in \\d+ s\\)$`));
});
