import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { startBroker } from './mosquitto.ts';

test('a broker passes messages on, retained ones to those who come later', async () => {
  const broker = await startBroker();
  await broker.publish('a/available', 'online', { retain: true });
  const subscriber = await broker.subscribe('a/#');
  await subscriber.message(
    ({ topic, payload, retain }) => topic === 'a/available' && payload === 'online' && retain,
  );
  await broker.publish('a/b', 'new');
  expect(await subscriber.message(({ topic }) => topic === 'a/b')).toEqual({
    topic: 'a/b',
    payload: 'new',
    qos: 1,
    retain: false,
  });
});

test('a broker with a login lets nobody in without it', async () => {
  const broker = await startBroker({ login: { username: 'guard', password: 'secret' } });
  await broker.publish('a', 'b');
  const address = `mqtt://127.0.0.1:${broker.port}`;
  await expect(mqtt.connectAsync(address, { reconnectPeriod: 0 }, false)).rejects.toThrow(/not authorized/i);
});

test('a broker comes back on its port', async () => {
  const broker = await startBroker();
  await broker.kill();
  const again = await broker.restart();
  expect(again.port).toBe(broker.port);
  const subscriber = await again.subscribe('#');
  await again.publish('a', 'b');
  await subscriber.message(({ payload }) => payload === 'b');
});
