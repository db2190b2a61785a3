import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCamera, testMounts } from '../support/camera.ts';
import { clusterMachines, settledCluster, startCluster } from '../support/cluster.ts';
import { Lab } from '../support/lab.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { seeded } from '../support/seeded.ts';
import { eventsOn, footageGaps } from '../support/site-checker.ts';
import { SiteFaults } from '../support/site-faults.ts';
import { waitFor } from '../support/wait.ts';

const rounds = Number(process.env['ROUNDS'] ?? 40);
const seed = Number(process.env['SEED'] ?? 1);
/** From a fault to the first picture elsewhere. */
const maxGapS = 5;
/** How long a fault lasts, and the calm after it, in milliseconds: the next one may come while machines still recover. */
const [leastMs, moreMs, calmMs] = [3000, 5000, 4000];
/** All 30 monitors may be on one machine then. */
const settledMs = 300_000;

test(
  `${rounds} faults, one after the other, leave no monitor without footage, and every machine lists each event once`,
  async () => {
    const lab = Lab.open(clusterMachines);
    const camera = await startCamera({ mounts: { main: testMounts.h264(160, 120, 5) }, place: lab.cameras });
    const monitors = Array.from({ length: 10 * clusterMachines.length }, (_, n) =>
      rtspMonitor(`m${n}`, [camera.url('main')], {
        alwaysRecord: true,
        // A ball flies through the picture all the time.
        ...(n < 3 && { motion: { ...motion, duration: 3 } }),
      }),
    );
    const cluster = await startCluster(monitors, clusterMachines, {}, lab);
    await settledCluster(cluster, monitors);
    const since = Date.now();
    const random = seeded(seed);
    const faults = new SiteFaults(lab, cluster);
    const names = Object.keys(faults.kinds);
    const happened: { at: number; what: string }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const name = names[Math.floor(random() * names.length)] ?? '';
      const index = Math.floor(random() * cluster.length);
      const other = (index + 1 + Math.floor(random() * (cluster.length - 1))) % cluster.length;
      happened.push({ at: Date.now(), what: `${round}: ${name}, machine ${index + 1}` });
      const heal = await faults.kinds[name]?.(index, other);
      await pause(leastMs + random() * moreMs);
      await heal?.();
      await pause(random() * calmMs);
    }
    await settledCluster(cluster, monitors, settledMs);

    const gaps = (await footageGaps(cluster, monitors, since)).sort((a, b) => b.seconds - a.seconds);
    for (const { monitor, at, seconds, from, to } of gaps.filter((gap) => gap.seconds > 1).slice(0, 40)) {
      const fault = happened.findLast((each) => each.at <= at + 500);
      const when = fault && `${((at - fault.at) / 1000).toFixed(1)} s after ${fault.what}`;
      console.log(`${monitor}: ${seconds.toFixed(2)} s without footage, from ${from} to ${to}, ${when}`);
    }
    const seconds = gaps.map((gap) => gap.seconds);
    const part = (share: number) => (seconds[Math.floor(seconds.length * (1 - share))] ?? 0).toFixed(2);
    console.log(`${seconds.length} gaps: p50 ${part(0.5)}, p95 ${part(0.95)}, at most ${part(1)} s`);
    expect(gaps.filter((gap) => gap.seconds > maxGapS)).toEqual([]);

    const until = Date.now();
    const lists = () => Promise.all(cluster.map((machine) => eventsOn(machine, since, until)));
    const isSame = async () => {
      const found = await lists();
      const everywhere = found.reduce((common, ids) => common.filter((id) => ids.includes(id)));
      const alone = found.map((ids) => ids.filter((id) => !everywhere.includes(id)));
      if (alone.every((ids) => ids.length === 0)) return everywhere.length > 0;
      throw new Error(`beside ${everywhere.length} on all machines: ${JSON.stringify(alone)}`);
    };
    await waitFor(isSame, 60_000, 'the same events on each machine');
    for (const ids of await lists()) expect(new Set(ids).size).toBe(ids.length);
  },
  480_000 + rounds * 20_000,
);
