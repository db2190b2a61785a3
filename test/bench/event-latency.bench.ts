import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { MqttEvent } from '../../bus/messages.ts';
import { startBurstCamera } from '../support/burst-camera.ts';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor, tflite } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import { startMotionProgram } from '../support/motion-program.ts';
import { startRecorder } from '../support/recorder.ts';

/**
 * How long it takes from a picture to its event on the bus and until the MQTT broker has it, by the recorder's own books, and
 * until a subscriber of the broker has it, by its own clock: streets with people, motion and objects looked for. Then the
 * same from the first picture of a movement, beside the program `motion` and its script.
 */

const seconds = Number(process.env['SECONDS'] ?? 90);
const monitors = Number(process.env['MONITORS'] ?? 1);
const hasObjects = process.env['OBJECTS'] !== 'no';

const question = `
  SELECT source, count(*) AS events,
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(storedAt - time, ${part}) / 1000)`).join()},
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(deliveredAt - time, ${part}) / 1000)`).join()},
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(deliveredAt - storedAt, ${part}) / 1000, 1)`).join()}
  FROM deliveries GROUP BY source ORDER BY source`;

test('from a picture to the broker', async () => {
  const broker = await startBroker();
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  /** Milliseconds from the picture to the subscriber, by source. */
  const delays = new Map<string, number[]>();
  await broker.listen('sentryshot/events/#', (payload) => {
    const { source, time } = JSON.parse(payload) as MqttEvent;
    const takenUs = Date.parse(time.slice(0, 23).concat('Z')) * 1000 + Number(time.slice(23, 26));
    const known = delays.get(source) ?? [];
    delays.set(source, [...known, (nowUs() - takenUs) / 1000]);
  });
  const recorder = await startRecorder({
    config: {
      plugin: [
        { name: 'auth_basic', enable: true },
        { name: 'motion', enable: true },
        { name: 'tflite', enable: hasObjects },
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
    monitors: Array.from({ length: monitors }, (_, n) =>
      rtspMonitor(`street${n}`, [camera.url('main')], {
        ...{ motion, tflite: { ...tflite, enable: hasObjects, useSubStream: false } },
      }),
    ),
  });
  await sleep(seconds * 1000);
  const answer = await recorder.change('POST', '/api/log/sql', { sql: question });
  const { rows } = (await answer.json()) as { rows: (string | number)[][] };
  for (const [source, events, ...hops] of rows) {
    const [toBus, toBroker, between] = [0, 3, 6].map((k) => hops.slice(k, k + 3).join(' / '));
    console.log(`  ${source}: ${events} events; p50 / p95 / p99 in ms: picture to bus ${toBus}`);
    console.log(`    picture to broker ${toBroker}; bus to broker ${between}`);
    const sorted = [...(delays.get(String(source)) ?? [])].sort((a, b) => a - b);
    const at = [0.5, 0.95, 0.99].map((part) => Math.round(sorted[Math.floor(part * sorted.length)] ?? 0));
    console.log(`    picture to subscriber ${at.join(' / ')}, at most ${Math.round(sorted.at(-1) ?? 0)}`);
  }
});

/** In milliseconds, or nothing if there are none. */
function figures(delaysMs: readonly number[]): string {
  const sorted = [...delaysMs].sort((a, b) => a - b);
  const [p50, p95] = [0.5, 0.95].map((part) => Math.round(sorted[Math.floor(part * sorted.length)] ?? 0));
  return `p50 ${p50}, p95 ${p95}, at most ${Math.round(sorted.at(-1) ?? 0)} (${sorted.length})`;
}

test('from a movement to the broker, beside motion with a script, on the same streams', async () => {
  const broker = await startBroker();
  const cameras = await Promise.all(Array.from({ length: monitors }, () => startBurstCamera()));
  /** The first of each burst of each monitor, in milliseconds from its first picture, by the beginning of the burst. */
  const delays = new Map<string, number>();
  const program = new Map<string, number>();
  let sinceUs = Number.POSITIVE_INFINITY;
  const note = (known: Map<string, number>, n: number, timeUs: number) => {
    const burst = cameras[n]?.burstBefore(timeUs) ?? 0;
    const key = `${n} ${burst}`;
    if (burst >= sinceUs && !known.has(key)) known.set(key, (timeUs - burst) / 1000);
  };
  await broker.listen('sentryshot/events/motion', (payload) => {
    const { monitorID } = JSON.parse(payload) as MqttEvent;
    note(delays, Number(monitorID.slice('street'.length)), nowUs());
  });
  await startRecorder({
    config: {
      plugin: [
        ...['auth_basic', 'motion'].map((name) => ({ name, enable: true })),
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
    monitors: cameras.map((camera, n) => rtspMonitor(`street${n}`, [camera.url()], { motion })),
  });
  const other = await startMotionProgram(cameras.map((camera) => camera.url()));
  // All are connected, and know what the street looks like.
  await sleep(20_000);
  sinceUs = nowUs();
  await sleep(seconds * 1000);
  console.log(`  ${monitors} streams, from the first picture of a movement, in ms`);
  console.log(`    to a subscriber of the broker: ${figures([...delays.values()])}`);
  for (const [camera, timeUs] of await other.starts()) note(program, camera - 1, timeUs);
  console.log(`    to the script of motion: ${figures([...program.values()])}`);
});
