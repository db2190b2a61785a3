import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { DetectionEvent } from '../../bus/messages.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { events } from '../../bus/subjects.ts';
import { atEnd } from '../support/cleanup.ts';
import { clusterMachines, startCluster } from '../support/cluster.ts';
import { measureCosts } from '../support/cost.ts';
import { bytesBetween } from '../support/links.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/**
 * Three machines without a camera, which read each other's streams: how long an event of one takes to be in the answers of
 * another one, and what it costs that they are there for each other, beside a recorder that is alone.
 */

const count = Number(process.env['EVENTS'] ?? 200);
const measuredMs = 1000 * Number(process.env['SECONDS'] ?? 60);
const goalMs = 1000;

test('from an event on one machine to its row on another', async () => {
  const alone = await startRecorder({});
  const [a, b, c] = (await startCluster([], clusterMachines)).map(({ recorder }) => recorder);
  if (!a || !b || !c) throw new Error('there are no machines');
  const bus = await busOf(a);
  await shown(b, await publish(bus, 'first'), 60_000);
  const delays: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    await shown(b, await publish(bus, `event${n}`), 30_000);
    delays.push(performance.now() - began);
    await sleep(20 + 200 * Math.random());
  }
  delays.sort((x, y) => x - y);
  const at = (part: number) => Math.round(delays[Math.floor(part * (count - 1))] ?? 0);
  console.log(
    `${count} events: p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} ms to an answer of another machine`,
  );

  const programs = [a, b, c].map(({ pid }) => pid);
  const before = bytesBetween(programs);
  const costs = await measureCosts(
    new Map([
      ['alone', [alone.pid]],
      ['a', [a.pid]],
      ['b', [b.pid]],
      ['c', [c.pid]],
    ]),
    { warmUpMs: 20_000, measuredMs },
  );
  const after = bytesBetween(programs);
  const sum = [...after].reduce((bytes, [link, sent]) => bytes + sent - (before.get(link) ?? 0), 0);
  const perSecond = sum / ((measuredMs + 20_000) / 1000);
  console.log(`idle: ${Math.round(perSecond)} bytes/s between three machines, ${after.size / 2} connections`);
  for (const [name, parts] of costs) {
    const shownParts = [...parts].map(
      ([part, { cpu, wakeUps, megabytes }]) =>
        `${part} ${cpu.toFixed(2)} % ${wakeUps.toFixed(0)} wake-ups/s ${megabytes.toFixed(0)} MB`,
    );
    console.log(`${name}: ${shownParts.join('; ')}`);
  }
  expect(at(0.95)).toBeLessThan(goalMs);
});

async function busOf({ folder }: Recorder): Promise<Bus> {
  const address = await readBusAddress(join(folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'bench');
  atEnd(() => bus.close());
  return bus;
}

async function publish(bus: Bus, id: string): Promise<string> {
  const detections = [{ label: 'person', score: 90 }];
  const event: DetectionEvent = {
    ...{ id, monitorID: 'door', monitorName: 'Door', source: 'tflite', time: nowUs(), detections },
  };
  await bus.store(events, ['door', 'tflite'], event, id);
  return id;
}

/** Waits until the newest event that the machine lists is this one. */
async function shown(recorder: Recorder, id: string, timeoutMs: number): Promise<void> {
  const isThere = async () => {
    const [newest] = await recorder.get<{ id: string }[]>('/api/event/query?limit=1');
    return newest?.id === id;
  };
  await waitFor(isThere, timeoutMs, id);
}
