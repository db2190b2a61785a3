import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { formatRfc3339, nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent } from '../../bus/messages.ts';
import { startMqttBridge } from '../../bus/mqtt/mqtt-bridge.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { events } from '../../bus/subjects.ts';
import { silentLogger, startTestBus } from '../support/bus.ts';
import { atEnd } from '../support/cleanup.ts';
import { startBroker } from '../support/mosquitto.ts';
import { waitFor } from '../support/wait.ts';

/**
 * How many events go through the bridge in a second, and what an outage of the broker costs: stored meanwhile at 50 a
 * second, delivered in order afterwards.
 */

const total = Number(process.env['EVENTS'] ?? 20_000);
const outageSeconds = Number(process.env['OUTAGE'] ?? 60);

const event = (n: number): DetectionEvent => ({
  ...{ id: `event${n}`, monitorID: 'one', monitorName: 'camera_1', source: 'motion' },
  time: Date.parse('2024-11-20T14:23:15Z') * 1000 + n,
  detections: [{ label: 'zone0', score: 48.39815 }],
});

const store = (bus: Bus, n: number) => bus.store(events, ['one', 'motion'], event(n), `event${n}`);

async function startBridge(version: '5' | '3.1.1') {
  const { bus } = await startTestBus();
  const broker = await startBroker();
  const options = { host: '127.0.0.1', port: broker.port, clientId: 'bench', version };
  const bridge = await startMqttBridge(bus, options, silentLogger().source('mqtt'));
  atEnd(() => bridge.close());
  await waitFor(async () => (await bridge.report()).isConnected, 5000, 'the broker');
  return { bus, broker, bridge };
}

test.each(['5', '3.1.1'] as const)('events a second with MQTT %s', { timeout: 120_000 }, async (version) => {
  const { bus, broker } = await startBridge(version);
  const subscriber = await broker.subscribe('sentryshot/events/motion');
  const begun = performance.now();
  for (let n = 0; n < total; n += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, k) => store(bus, n + k)));
  }
  const stored = performance.now();
  const last = formatRfc3339(event(total - 1).time);
  await subscriber.message(({ payload }) => payload.includes(last), 100_000);
  const seconds = (performance.now() - begun) / 1000;
  const times = subscriber.messages.map(({ payload }) => (JSON.parse(payload) as { time: string }).time);
  expect(new Set(times).size).toBe(total);
  expect(times.every((time, at) => at === 0 || time >= (times[at - 1] ?? ''))).toBe(true);
  const storing = ((stored - begun) / 1000).toFixed(1);
  console.log(
    `  MQTT ${version}: ${total} events in ${seconds.toFixed(1)} s (stored within ${storing} s): ${Math.round(total / seconds)} a second, in order`,
  );
});

test('an outage of the broker', { timeout: outageSeconds * 1000 + 120_000 }, async () => {
  const { bus, broker, bridge } = await startBridge('5');
  await store(bus, 0);
  await broker.kill();
  const count = outageSeconds * 50;
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  for (let n = 1; n <= count; n += 1) {
    await store(bus, n);
    await sleep(20);
  }
  lag.disable();
  const { length, oldest } = await bridge.report();
  const age = oldest === null ? 0 : (nowUs() - oldest) / 1e6;
  const again = await broker.restart();
  const subscriber = await again.subscribe('sentryshot/events/motion');
  const back = performance.now();
  const last = formatRfc3339(event(count).time);
  await subscriber.message(({ payload }) => payload.includes(last), 100_000);
  const seconds = ((performance.now() - back) / 1000).toFixed(1);
  const times = subscriber.messages.map(({ payload }) => (JSON.parse(payload) as { time: string }).time);
  const firsts = [...new Set(times)];
  const isOrdered = firsts.every((time, at) => at === 0 || time > (firsts[at - 1] ?? ''));
  console.log(
    `  ${outageSeconds} s without a broker: ${length} waited, the oldest ${Math.round(age)} s; ${firsts.length} of ${count + 1} at the subscriber ${seconds} s after it was back, ${isOrdered ? 'in order' : 'OUT OF ORDER'}, ${times.length - firsts.length} twice`,
  );
  // Its timer itself takes ten of them.
  const [p99, most] = [lag.percentile(99), lag.max].map((ns) => (ns / 1e6 - 10).toFixed(1));
  console.log(`  meanwhile the event loop was late by ${p99} ms (p99), at most ${most} ms`);
});
