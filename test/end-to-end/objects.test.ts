import { expect, test } from 'vitest';
import type { MqttEvent } from '../../bus/messages.ts';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { rtspMonitor, tflite } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import { startRecorder } from '../support/recorder.ts';

test('people on a street are told over MQTT, each with a picture', async () => {
  const broker = await startBroker();
  const told = await broker.subscribe('sentryshot/events/#');
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const recorder = await startRecorder({
    config: {
      plugin: [
        { name: 'auth_basic', enable: true },
        { name: 'tflite', enable: true },
        { name: 'mqtt', enable: true, host: '127.0.0.1', port: broker.port },
      ],
    },
    monitors: [rtspMonitor('street', [camera.url('main')], { name: 'Street', tflite })],
  });
  const { topic, payload } = await told.message(({ payload: text }) => /"person"/.test(text), 30_000);
  const event = JSON.parse(payload) as MqttEvent;
  expect(topic).toBe('sentryshot/events/tflite');
}, 60_000);
