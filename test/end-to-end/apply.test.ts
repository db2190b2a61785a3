import { expect, test } from 'vitest';
import type { MonitorStatus } from '../../bus/messages.ts';
import { commands, status } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera } from '../support/camera.ts';
import { atEnd } from '../support/cleanup.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { probe, recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

test('a change of one monitor applies at once, and the other loses no frame; the bus may be somebody else’s', async () => {
  const { server, bus } = await startTestBus();
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const everyPicture = { ...motion, feedRate: 0 };
  const monitor = (id: string, name: string) =>
    rtspMonitor(id, [camera.url('main')], { name, alwaysRecord: true, motion: everyPicture });
  const { servers, token } = server.address;
  // Before the recorder, whose monitors may record before it serves.
  const states: MonitorStatus[] = [];
  bus.subscribe(status, ['*'], (state) => void states.push(state));
  const recorder = await startRecorder({
    config: { bus: { servers, token } },
    monitors: [monitor('one', 'One'), monitor('two', 'Two')],
  });
  expect(recorder.children(/nats-server/)).toEqual([]);

  const sequences: number[] = [];
  bus.subscribeFrames('two', 'gray', ({ sequence }) => void sequences.push(sequence));
  const need = { format: 'gray', rate: 0, stream: 'main' } as const;
  const ask = () => void bus.request(commands.frames, ['two'], need).catch(() => {});
  const asking = setInterval(ask, 1000);
  atEnd(async () => clearInterval(asking));
  await waitFor(() => sequences.length > 10, 20_000, 'pictures of the other');
  const recorded = () => new Set(states.filter(({ recording }) => recording).map((state) => state.monitorID));
  await waitFor(() => recorded().size === 2, 20_000, 'both to record');
  const began = states.length;
  const untouched = recorder.children(/host\/pipeline-host/);
  expect(untouched).toHaveLength(1);

  for (const name of ['Uno', 'Eins', 'Un']) {
    const before = states.length;
    const response = await recorder.change('PUT', '/api/monitor', monitor('one', name));
    expect(response.status).toBe(200);
    await waitFor(
      () => states.slice(before).some(({ monitorID, state }) => monitorID === 'one' && state === 'streaming'),
      10_000,
      `${name} to stream`,
    );
  }
  for (const toggle of ['disable', 'enable']) {
    const before = states.length;
    await recorder.change('PATCH', `/api/monitor/one/motion/${toggle}`);
    await waitFor(
      () => states.slice(before).some(({ monitorID, state }) => monitorID === 'one' && state === 'streaming'),
      10_000,
      'it to stream',
    );
  }

  const seen = [...sequences];
  const [first = 0] = seen;
  expect(seen).toEqual(seen.map((_, index) => first + index));
  expect(recorder.children(/host\/pipeline-host/)).toEqual(untouched);
  expect(states.slice(began).filter(({ monitorID }) => monitorID === 'two')).toEqual([]);
  const own = (await recordingsIn(recorder.recordings)).filter((file) => file.endsWith('_two.mp4'));
  expect(own).toHaveLength(1);
  // Ten pictures a second, none of them missing in the file either.
  const { frames, duration } = await probe(own[0] ?? '');
  expect(Math.abs(duration - (frames - 1) / 10)).toBeLessThan(0.05);

  await recorder.change('DELETE', '/api/monitor?id=one');
  const isGone = () => states.some(({ monitorID, state }) => monitorID === 'one' && state === 'stopped');
  await waitFor(isGone, 10_000, 'the end of one');
  expect(recorder.children(/host\/pipeline-host/)).toEqual(untouched);
});
