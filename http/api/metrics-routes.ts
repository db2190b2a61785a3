import { nowUs } from '../../bus/base/time.ts';
import { monitorStates, type SleepAnswer } from '../../bus/messages.ts';
import type { MachineReport } from '../../bus/nats/control/control-messages.ts';
import { questions } from '../../bus/subjects.ts';
import type { DeliveryDelay } from '../../store/log/read/delivery-delays.ts';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import type { MonitorStates } from '../state/monitor-states.ts';
import { family, type MetricSample } from './metric-family.ts';
import { mqttMetrics } from './mqtt-routes.ts';
import { storageMetrics } from './storage-metrics.ts';

type MetricsServices = Pick<ApiServices, 'logs' | 'monitors' | 'bus' | 'storage' | 'mqtt' | 'machines'> & {
  readonly states: MonitorStates;
};

/** The detector host answers at once, or it is just being started. */
const sleepMs = 1000;
/** Prometheus asks every 15 seconds or so; a survey of a large archive takes a tenth of a second. */
const maxStorageAgeMs = 60_000;

export function metricsRoutes(services: MetricsServices): Route[] {
  const { logs, monitors, bus, states, storage, mqtt, machines } = services;
  return [
    route({
      method: 'GET',
      path: '/api/metrics',
      access: 'admin',
      tag: 'System',
      summary: 'Metrics for Prometheus',
      description:
        "In Prometheus' text format. Counters start at zero when the recorder starts; delays are computed over each monitor's latest 1000 events, the use of the storage is at most a minute old.",
      answers: { 200: { description: 'The metrics', type: 'text/plain; version=0.0.4; charset=utf-8' } },
      failures: ['storage_failed'],
      async handle() {
        const { entries, detections, objects, delays, deliveryDelays } = await logs.totals();
        const known = monitors.list().flatMap(({ id }) => states.get(id) ?? []);
        const now = nowUs();
        const body = [
          family(
            'log_entries_total',
            'counter',
            'Log entries',
            entries.map(({ count, ...labels }) => [labels, count]),
          ),
          family(
            'detections_total',
            'counter',
            'Detections',
            detections.map(({ count, monitorID, source, label }) => [
              { monitor: monitorID, source, label },
              count,
            ]),
          ),
          family(
            'objects_total',
            'counter',
            'Objects that appeared',
            objects.map(({ count, monitorID, label }) => [{ monitor: monitorID, label }, count]),
          ),
          family(
            'event_delay_seconds',
            'summary',
            'Delay from the frame to its event on the bus',
            delays.flatMap(quantiles),
          ),
          family(
            'mqtt_delay_seconds',
            'summary',
            'Delay from the frame to the confirmation of its event by the MQTT broker',
            deliveryDelays.flatMap(quantiles),
          ),
          family(
            'monitor_state',
            'gauge',
            '1 for the current state of the monitor, 0 for the others',
            known.flatMap(({ monitorID: monitor, state }) =>
              monitorStates.map((each): MetricSample => [{ monitor, state: each }, each === state ? 1 : 0]),
            ),
          ),
          family(
            'monitor_state_seconds',
            'gauge',
            'Time that the monitor has been in its current state',
            known.map(({ monitorID: monitor, since }) => [{ monitor }, Math.max(0, now - since) / 1e6]),
          ),
          family(
            'monitor_streaming_seconds_total',
            'counter',
            'Time that the monitor has streamed',
            known.map(({ monitorID: monitor, streamed }) => [{ monitor }, streamed / 1e6]),
          ),
          family(
            'monitor_recording',
            'gauge',
            '1 while the monitor records',
            known.map(({ monitorID: monitor, recording }) => [{ monitor }, recording ? 1 : 0]),
          ),
          family(
            'monitor_reconnects_total',
            'counter',
            'Number of times that the stream of the monitor came back after an outage',
            known.map(({ monitorID: monitor, reconnects }) => [{ monitor }, reconnects]),
          ),
          family('bus_connected', 'gauge', '1 while the bus is connected', [[{}, bus.connected ? 1 : 0]]),
          storageMetrics(await storage(maxStorageAgeMs)),
          mqttMetrics(await mqtt().catch(() => undefined)),
          sleepMetrics(await bus.ask(questions.sleep, {}, sleepMs).catch(() => ({ monitors: [] }))),
          machineMetrics(machines()),
        ].join('');
        return { type: 'text/plain; version=0.0.4; charset=utf-8', body };
      },
    }),
  ];
}

/** Empty where there is one machine. */
function machineMetrics(machines: readonly MachineReport[]): string {
  if (machines.length === 0) return '';
  return [
    family(
      'machine_alive',
      'gauge',
      '1 for a machine of the cluster that is heard',
      machines.map(({ name, isAlive }) => [{ machine: name }, isAlive ? 1 : 0]),
    ),
    family(
      'machine_monitors',
      'gauge',
      'Monitors that a machine records, as their owner or provisionally',
      machines.flatMap(({ name, owned, provisional }): MetricSample[] => [
        [{ machine: name, as: 'owner' }, owned.length],
        [{ machine: name, as: 'provisional' }, provisional.length],
      ]),
    ),
  ].join('');
}

function quantiles({ monitorID: monitor, count, sum, p50, p95, p99 }: DeliveryDelay): MetricSample[] {
  return [
    [{ monitor, quantile: '0.5' }, p50],
    [{ monitor, quantile: '0.95' }, p95],
    [{ monitor, quantile: '0.99' }, p99],
    [{ monitor }, sum, '_sum'],
    [{ monitor }, count, '_count'],
  ];
}

/** Whether decoders of motion detection sleep, or would if they were allowed to. */
function sleepMetrics({ monitors }: SleepAnswer): string {
  const samples = (value: (of: SleepAnswer['monitors'][number]) => number): MetricSample[] =>
    monitors.map((of) => [{ monitor: of.monitorID }, value(of)]);
  return [
    family(
      'motion_sleep_seconds_total',
      'counter',
      'Time that the decoder of motion detection has slept, or would have slept if it were allowed to',
      samples(({ asleepUs }) => asleepUs / 1e6),
    ),
    family(
      'motion_sleep_wakes_total',
      'counter',
      'Number of times that it was woken up, or would have been',
      samples(({ wakes }) => wakes),
    ),
    family(
      'motion_sleep_missed_total',
      'counter',
      'Motion that the sizes of pictures did not show while it slept, or would have slept',
      samples(({ missed }) => missed),
    ),
    family(
      'motion_sleep_refused',
      'gauge',
      '1 for the reason why it may not sleep',
      monitors.flatMap(({ monitorID: monitor, refused }) =>
        refused === null ? [] : [[{ monitor, reason: refused }, 1] satisfies MetricSample],
      ),
    ),
  ].join('');
}
