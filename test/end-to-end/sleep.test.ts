import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import type { UnitPacket } from '../../bus/packets/unit-packet.ts';
import { unitSubject } from '../../bus/subjects.ts';
import { startCamera } from '../support/camera.ts';
import { atEnd } from '../support/cleanup.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { sleepClip } from '../support/sleep-clips.ts';
import { waitFor } from '../support/wait.ts';

const scene = {
  ...{ name: 'test', width: 640, height: 360, noise: 4, isQuiet: false },
  ...{ group: 15, rate: ['-crf', '25'], seconds: 26, begin: 18 },
} as const;
const question = `SELECT monitorID, min(time) // 1000, count(*) FROM events GROUP BY ALL ORDER BY ALL`;
const sleepers = `SELECT DISTINCT monitorID FROM logs WHERE msg LIKE '%its decoder sleeps%'`;

test('a decoder that sleeps wakes up for motion, and finds what one finds that is always awake', async () => {
  const camera = await startCamera({ mounts: { main: { file: await sleepClip(scene) } } });
  const zones = motion.zones.map((zone) => ({ ...zone, thresholdMin: 0.3 }));
  const streams: [string] = [camera.url('main')];
  const recorder = await startRecorder({
    monitors: [
      rtspMonitor('awake', streams, { motion: { ...motion, zones } }),
      rtspMonitor('sleepy', streams, { motion: { ...motion, zones, sleep: true } }),
    ],
  });
  const counted = async (name: string) => {
    const text = await (await recorder.fetch('/api/metrics')).text();
    const found = new RegExp(`^sentrybus_motion_sleep_${name}{monitor="sleepy"} (\\S+)$`, 'm').exec(
      text,
    )?.[1];
    if (found === undefined) throw new Error(`there is no metric ${name}`);
    return Number(found);
  };
  const ask = async (sql: string) => {
    const answer = await recorder.change('POST', '/api/log/sql', { sql });
    return ((await answer.json()) as { rows: unknown[][] }).rows;
  };
  const address = await readBusAddress(join(recorder.folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'test');
  atEnd(() => bus.close());
  const messages: (readonly UnitPacket[])[] = [];
  bus.subscribeUnits(unitSubject('sleepy', 'main'), (packets) => messages.push(packets));
  // The metrics are the same for one that could sleep but may not.
  const asleep = () => ask(sleepers);
  await waitFor(async () => (await asleep()).length > 0, 40_000, 'a decoder that really sleeps');
  await waitFor(() => messages.at(-1)?.some(({ passed }) => passed > 0), 10_000, 'a key frame alone');
  expect(messages.at(-1)).toHaveLength(1);
  await waitFor(async () => (await counted('seconds_total')) > 1, 40_000, 'a decoder that sleeps');
  await waitFor(async () => (await counted('wakes_total')) > 0, 40_000, 'a decoder that is awake again');
  const rows = await waitFor(
    async () => {
      const rows = (await ask(question)) as [string, number, number][];
      return rows.length === 2 && rows.every(([, , count]) => count >= 5) ? rows : undefined;
    },
    20_000,
    'events of both',
  );
  const [awake, sleepy] = rows;
  // A frame is made every 200 ms.
  expect(Math.abs((awake?.[1] ?? 0) - (sleepy?.[1] ?? 0))).toBeLessThan(450);
  expect(messages.at(-1)?.every(({ passed }) => passed === 0)).toBe(true);
  expect(await counted('missed_total')).toBe(0);
  expect(await asleep()).toEqual([['sleepy']]);
});
