import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { leases } from '../../bus/leases.ts';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { isAlive } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

test('a recorder that was suspended for longer than any heartbeat lasts ends none of its children', async () => {
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const door = rtspMonitor('door', [camera.url('main')], { alwaysRecord: true, motion });
  const recorder = await startRecorder({ monitors: [door] });
  await waitFor(async () => (await recordingsIn(recorder.recordings)).length > 0, 20_000, 'a recording');
  const children = recorder.children(/^\S*(nats-server|node) /);
  expect(children.length).toBe(3);

  const { pipelineHeartbeat, detectorHostHeartbeat } = leases;
  recorder.signal('SIGSTOP');
  await sleep(Math.max(pipelineHeartbeat.expireMs, detectorHostHeartbeat.expireMs) + 2000);
  recorder.signal('SIGCONT');

  // An answer, which is later than what happened at once.
  await waitFor(() => recorder.get('/api/log/query?limit=1').catch(() => false), 20_000, 'an answer');
  await sleep(1000);
  expect(children.filter((pid) => !isAlive(pid))).toEqual([]);
  expect((await recordingsIn(recorder.recordings)).length).toBe(1);
}, 180_000);
