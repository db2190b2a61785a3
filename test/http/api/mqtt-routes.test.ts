import { expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { openFrontDoor, user } from '../../support/http-server.ts';

const report = {
  ...{ isConnected: false, reason: 'connect ECONNREFUSED 127.0.0.1:1883', since: 1_795_405_212_500_000 },
  ...{ broker: 'mqtt://127.0.0.1:1883', clientId: 'sentrybus-one', version: '5' as const },
  ...{ length: 12, oldest: nowUs() - 90_000_000, lost: 3, topics: 34 },
  refused: [{ topic: 'a"b', reason: 'Not authorized', since: 1_795_405_212_500_000, count: 2 }],
  setAside: [{ topic: 'a"b', count: 7 }],
};

test('admins see why the broker is not connected, what waits and what is refused; so do the metrics', async () => {
  const door = await openFrontDoor({ mqtt: report });
  expect((await door.fetch('/api/mqtt', {}, user)).status).toBe(403);
  const answer = await door.fetch('/api/mqtt');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ isEnabled: true, ...report });
  const metrics = await (await door.fetch('/api/metrics')).text();
  expect(metrics.split('\n').filter((line) => /^sentrybus_mqtt_(?!delay)/.test(line))).toEqual([
    'sentrybus_mqtt_connected 0',
    'sentrybus_mqtt_waiting_events 12',
    expect.stringMatching(/^sentrybus_mqtt_oldest_waiting_event_seconds (9\d|[1-9]\d\d)(\.\d+)?$/),
    'sentrybus_mqtt_lost_events_total 3',
    'sentrybus_mqtt_refused_messages_total{topic="a\\"b"} 7',
  ]);
});

test('without the plugin there is nothing to tell', async () => {
  const door = await openFrontDoor();
  expect(await (await door.fetch('/api/mqtt')).json()).toEqual({ isEnabled: false });
  expect(await (await door.fetch('/api/metrics')).text()).not.toContain('sentrybus_mqtt_connected');
});
