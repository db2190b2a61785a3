import { Type } from 'typebox';
import { nowUs } from '../../bus/base/time.ts';
import type { MqttReport } from '../../bus/mqtt/mqtt-bridge.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { family } from './metric-family.ts';

const Time = Type.Integer({ minimum: 0 });
const Count = Type.Integer({ minimum: 0 });

const MqttState = Type.Object({
  isEnabled: Type.Boolean({
    description: 'Whether the plugin mqtt is on; the other fields are there only then',
  }),
  isConnected: Type.Optional(Type.Boolean()),
  reason: Type.Optional(
    Type.String({ description: 'Why it is not connected, as the log says it; empty if it is' }),
  ),
  since: Type.Optional(Type.Integer({ minimum: 0, description: 'Since when it is connected, or is not' })),
  broker: Type.Optional(Type.String()),
  clientId: Type.Optional(Type.String()),
  version: Type.Optional(
    Type.Union([Type.Enum(['5', '3.1.1']), Type.Null()], {
      description: 'The version of MQTT of the last connection; null before the first',
    }),
  ),
  length: Type.Optional(
    Type.Integer({
      minimum: 0,
      description:
        'Events that the broker has not confirmed; in a cluster without those that another machine may have to publish',
    }),
  ),
  oldest: Type.Optional(
    Type.Union([Time, Type.Null()], {
      description: 'When the oldest of them was stored; null if none waits',
    }),
  ),
  lost: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Events that expired before they were delivered, since the start',
    }),
  ),
  topics: Type.Optional(Type.Integer({ minimum: 0, description: 'Retained topics that are kept' })),
  refused: Type.Optional(
    Type.Array(Type.Object({ topic: Type.String(), reason: Type.String(), since: Time, count: Count }), {
      description: 'Topics that the broker refuses, and the number of messages that were set aside',
    }),
  ),
  setAside: Type.Optional(
    Type.Array(Type.Object({ topic: Type.String(), count: Count }), {
      description: 'Messages that were set aside since the start, also on topics that are accepted by now',
    }),
  ),
});

const example = {
  ...{ isEnabled: true, isConnected: true, reason: '', since: 1_795_405_212_500_000 },
  ...{ broker: 'mqtt://192.0.2.7:1883', clientId: 'sentrybus-3f6c1a9e0b7d4c2f8a5e1b', version: '5' },
  ...{ length: 0, oldest: null, lost: 0, topics: 34, refused: [], setAside: [] },
};

export function mqttRoutes({ mqtt }: Pick<ApiServices, 'mqtt'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/mqtt',
      access: 'admin',
      tag: 'System',
      summary: 'The connection to the MQTT broker',
      description: 'Whether it is connected or why not, what waits for it, and which topics it refuses.',
      answers: { 200: { description: 'The state of the bridge', schema: MqttState, example } },
      failures: ['unavailable'],
      async handle() {
        const report = await mqtt().catch((cause: unknown) => {
          throw new HttpError('unavailable', 'The bus is offline.', {
            headers: { 'Retry-After': '5' },
            cause,
          });
        });
        return { body: report ? { isEnabled: true, ...report } : { isEnabled: false } };
      },
    }),
  ];
}

/** In Prometheus' text format; empty if the plugin is off. */
export function mqttMetrics(report: MqttReport | undefined): string {
  if (!report) return '';
  return [
    family('mqtt_connected', 'gauge', '1 while the MQTT broker is connected', [
      [{}, report.isConnected ? 1 : 0],
    ]),
    family('mqtt_waiting_events', 'gauge', 'Events that the MQTT broker has not confirmed', [
      [{}, report.length],
    ]),
    family('mqtt_oldest_waiting_event_seconds', 'gauge', 'Age of the oldest of them; 0 if none waits', [
      [{}, report.oldest === null ? 0 : (nowUs() - report.oldest) / 1e6],
    ]),
    family('mqtt_lost_events_total', 'counter', 'Events that expired before they were delivered', [
      [{}, report.lost],
    ]),
    family(
      'mqtt_refused_messages_total',
      'counter',
      'Messages that were set aside because the MQTT broker refused their topic',
      report.setAside.map(({ topic, count }) => [{ topic }, count]),
    ),
  ].join('');
}
