import { expect, test } from 'vitest';
import type { LogEntry, MqttEvent } from '../../bus/messages.ts';
import { type Camera, startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import { startRecorder } from '../support/recorder.ts';
import { nameTime, probe, recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

/** A street that stays empty of movement for twelve seconds, then people walk. */
const street = (port = 0): Promise<Camera> =>
  startCamera({ port, mounts: { main: { file: clip('vtest-quiet.mp4') } } });

test('a person who walks by is published over MQTT, recorded from before, and logged; a lost camera comes back', async () => {
  const broker = await startBroker();
  const told = await broker.subscribe('sentryshot/events/#');
  const camera = await street();
  const recorder = await startRecorder({
    config: {
      plugin: [
        { name: 'auth_basic', enable: true },
        { name: 'motion', enable: true },
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
  });
  const feed = await recorder.feed('/api/logs?monitors=street');
  const logged = (pattern: RegExp, timeout?: number) =>
    feed.frame<LogEntry>(({ msg }) => pattern.test(msg), timeout);
  await recorder.change(
    'PUT',
    '/api/monitor',
    rtspMonitor('street', [camera.url('main')], { name: 'Street', motion }),
  );
  await recorder.change(
    'PUT',
    '/api/monitor',
    rtspMonitor('always', [camera.url('main')], { alwaysRecord: true }),
  );
  await logged(/^streaming$/);

  const { topic, payload } = await told.message(() => true, 30_000);
  const event = JSON.parse(payload) as MqttEvent;
  expect(topic).toBe('sentryshot/events/motion');
  expect(Object.keys(event)).toEqual(['monitorID', 'monitorName', 'label', 'score', 'time', 'source']);
  expect(event).toMatchObject({
    monitorID: 'street',
    monitorName: 'Street',
    label: 'zone0',
    source: 'motion',
  });
  expect(event.score).toBeGreaterThan(0.5);
  expect(event.score).toBeLessThan(100);
  expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  const eventTime = Date.parse(event.time);
  expect(Math.abs(Date.now() - eventTime)).toBeLessThan(5000);

  await logged(/^starting recording: /);
  const recordingsOf = async (id: string) =>
    (await recordingsIn(recorder.recordings)).filter((file) => file.endsWith(`_${id}.mp4`));
  const [recording = ''] = await waitFor(
    async () => {
      const found = await recordingsOf('street');
      return found.length > 0 && found;
    },
    5000,
    'a recording',
  );
  // The name's second may have begun up to a second before the recording did.
  expect(eventTime - (nameTime(recording) + 1000)).toBeGreaterThanOrEqual(5000);
  const playable = await probe(recording);
  expect(playable.complaints).toBe('');
  expect(playable.frames).toBeGreaterThan(50);

  const entries = await recorder.get<LogEntry[]>('/api/log/query?monitors=street&sources=recorder&limit=10');
  expect(entries.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/^starting recording: /));
  const shown = feed.frames.map((text) => JSON.parse(text) as LogEntry);
  expect(
    entries.every((entry) => shown.some(({ time, msg }) => time === entry.time && msg === entry.msg)),
  ).toBe(true);

  // The camera goes away, and comes back.
  const others = recorder.children(/nats-server|detectors\/host/);
  expect(others).toHaveLength(2);
  const lost = Date.now();
  await camera.kill();
  await logged(/^waiting: /, 6000);
  expect(Date.now() - lost).toBeLessThan(6000);
  const before = (await recordingsOf('always')).length;
  for (const file of await recordingsIn(recorder.recordings)) expect((await probe(file)).complaints).toBe('');

  await street(camera.port);
  const returned = Date.now();
  await waitFor(
    async () => (await recordingsOf('always')).length > before,
    20_000,
    'a recording of the camera that came back',
  );
  // Three seconds, and the pause before the next attempt: the third is at most four seconds long.
  expect(Date.now() - returned).toBeLessThan(3000 + 4000);
  expect(recorder.children(/nats-server|detectors\/host/)).toEqual(others);
});
