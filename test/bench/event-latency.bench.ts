import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor, tflite } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import { startRecorder } from '../support/recorder.ts';

/**
 * How long it takes from a picture to its event on the bus, and until the MQTT broker has it, by the recorder's own
 * books: a street with people, motion and objects looked for.
 */

const seconds = Number(process.env['SECONDS'] ?? 90);

const question = `
  SELECT source, count(*) AS events,
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(storedAt - time, ${part}) / 1000)`).join()},
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(deliveredAt - time, ${part}) / 1000)`).join()},
    ${['0.5', '0.95', '0.99'].map((part) => `round(quantile_cont(deliveredAt - storedAt, ${part}) / 1000, 1)`).join()}
  FROM deliveries GROUP BY source ORDER BY source`;

test('from a picture to the broker', async () => {
  const broker = await startBroker();
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const recorder = await startRecorder({
    config: {
      plugin: [
        { name: 'auth_basic', enable: true },
        { name: 'motion', enable: true },
        { name: 'tflite', enable: true },
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
    monitors: [
      rtspMonitor('street', [camera.url('main')], { motion, tflite: { ...tflite, useSubStream: false } }),
    ],
  });
  await sleep(seconds * 1000);
  const answer = await recorder.change('POST', '/api/log/sql', { sql: question });
  const { rows } = (await answer.json()) as { rows: (string | number)[][] };
  for (const [source, events, ...delays] of rows) {
    const [toBus, toBroker, between] = [0, 3, 6].map((k) => delays.slice(k, k + 3).join(' / '));
    console.log(`  ${source}: ${events} events; p50 / p95 / p99 in ms: picture to bus ${toBus}`);
    console.log(`    picture to broker ${toBroker}; bus to broker ${between}`);
  }
});
