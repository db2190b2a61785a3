import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { buildWithClock } from '../support/build-with-clock.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { clusterMachines, settledCluster, startCluster } from '../support/cluster.ts';
import { grouped } from '../support/grouped.ts';
import { Lab } from '../support/lab.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { startBroker } from '../support/mosquitto.ts';
import {
  eventsSeenBy,
  PublishedEvents,
  type SeenEvent,
  unlistedEvents,
} from '../support/published-events.ts';
import { seeded } from '../support/seeded.ts';
import { eventsOn, SiteFootage } from '../support/site-checker.ts';
import { SiteFaults } from '../support/site-faults.ts';
import { tenuresOf, wrongTokens } from '../support/token-holders.ts';
import { waitFor } from '../support/wait.ts';

const rounds = Number(process.env['ROUNDS'] ?? 40);
const seed = Number(process.env['SEED'] ?? 1);
const monitorCount = Number(process.env['MONITORS'] ?? 10 * clusterMachines.length);
/** From a fault to the first picture elsewhere. */
const maxGapS = 5;
/** All 30 monitors may be on one machine then. */
const settledMs = 300_000;
/** So long after a start it is known of all recordings when the kill ended them. */
const trueEndsMs = 15_000;
/** So long it may take until all machines say the same, and to look whether they do: pages of all that has happened. */
const agreedMs = Math.max(60_000, rounds * 1500);
/** For so long an event waits for another machine that may publish it. */
const heldMs = 70_000;

async function startLab() {
  const lab = Lab.open(clusterMachines);
  const camera = await startCamera({ mounts: { main: testMounts.h264(160, 120, 5) }, place: lab.cameras });
  const monitors = Array.from({ length: monitorCount }, (_, n) =>
    rtspMonitor(`m${n}`, [camera.url('main')], {
      alwaysRecord: true,
      // A ball flies through the picture all the time.
      ...(n < 3 && { motion: { ...motion, duration: 3 } }),
    }),
  );
  const broker = await startBroker({ place: lab.house });
  const mqtt = { name: 'mqtt', enable: true, host: lab.house.address, port: broker.port };
  const plugin = [...['auth_basic', 'motion'].map((name) => ({ name, enable: true })), mqtt];
  const clocks = await Promise.all(clusterMachines.map(() => buildWithClock()));
  const places = clocks.map(({ build }, index) => ({ build, place: lab.machine(index) }));
  const cluster = await startCluster(monitors, clusterMachines, { plugin }, places);
  await settledCluster(cluster, monitors);
  const published = await broker.subscribe('+/events/#');
  return { lab, monitors, cluster, published, faults: new SiteFaults(lab, cluster, clocks) };
}

/** @param seconds the longest first. */
function distribution(seconds: readonly number[]): string {
  const part = (share: number) => (seconds[Math.floor(seconds.length * (1 - share))] ?? 0).toFixed(2);
  return `${seconds.length} gaps: p50 ${part(0.5)}, p95 ${part(0.95)}, at most ${part(1)} s`;
}

test(
  `${rounds} faults, one after the other, leave no monitor without footage and no token with two machines, and each event is listed and published`,
  async () => {
    const { lab, monitors, cluster, published, faults } = await startLab();
    // What is under way to the broker was not published after the subscription for certain.
    const since = Date.now() + 1000;
    await faults.play(rounds, seeded(seed));
    await settledCluster(cluster, monitors, settledMs);
    await pause(trueEndsMs);

    let footage = await SiteFootage.read(cluster, monitors);
    const areTrue = async () => {
      footage = await SiteFootage.read(cluster, monitors);
      return footage.wrongTimes(faults.standstills).length === 0;
    };
    await waitFor(areTrue, agreedMs, 'the true times of all recordings').catch(() => {});
    const gaps = footage.gaps(since).sort((a, b) => b.seconds - a.seconds);
    for (const { monitor, at, seconds, from, to } of gaps.filter((gap) => gap.seconds > 1).slice(0, 40)) {
      const when = faults.describe(at);
      console.log(`${monitor}: ${seconds.toFixed(2)} s without footage, from ${from} to ${to}, ${when}`);
    }
    for (const [kind, of] of [
      ['all faults', gaps] as const,
      ...grouped(gaps, ({ at }) => faults.kindAt(at)),
    ]) {
      console.log(`${kind}: ${distribution(of.map((gap) => gap.seconds))}`);
    }
    expect(footage.wrongTimes(faults.standstills)).toEqual([]);
    expect(gaps.filter((gap) => gap.seconds > maxGapS)).toEqual([]);

    const held = await Promise.all(cluster.map((member, index) => tenuresOf(member, lab.machine(index))));
    expect(held.flatMap(({ tenures }) => tenures).length).toBeGreaterThan(monitors.length);
    expect(wrongTokens(held)).toEqual([]);

    const until = Date.now();
    const listsNow = () => Promise.all(cluster.map((machine) => eventsOn(machine, since, until)));
    const isSame = async () => {
      const found = await listsNow();
      const ids = found.flatMap((events) => [...new Set(events.map(({ id }) => id))]);
      const lists = grouped(ids, (id) => id);
      const isEverywhere = (id: string) => lists.get(id)?.length === found.length;
      const everywhere = [...lists.keys()].filter(isEverywhere).length;
      const alone = found.map((events) => events.filter(({ id }) => !isEverywhere(id)));
      if (alone.every((events) => events.length === 0)) return everywhere > 0;
      const text = alone.map((events) =>
        events.map(
          ({ id, machine, monitorID, time }) =>
            `${id}, ${monitorID} on ${machine}, ${faults.describe(time / 1000)}`,
        ),
      );
      throw new Error(`beside ${everywhere} on all machines: ${JSON.stringify(text)}`);
    };
    await waitFor(isSame, agreedMs, 'the same events on each machine');
    const [listed = [], ...others] = await listsNow();
    for (const events of [listed, ...others]) {
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    }

    const seen = await Promise.all(cluster.map((member, index) => eventsSeenBy(member, lab.machine(index))));
    const all = seen.flat();
    const describe = ({ machine, monitorID, storedAt }: SeenEvent) =>
      `${monitorID} on ${machine}, ${faults.describe(storedAt / 1000)}`;
    const [from, to] = [since * 1000, until * 1000];
    const ofList = all.filter(({ storedAt }) => storedAt >= from && storedAt < to);
    expect(unlistedEvents(listed, ofList).map(describe)).toEqual([]);

    // A clock that was wrong may have moved older ones into this time.
    const told = () => {
      const events = new PublishedEvents(published.messages);
      const missing = events.missing(listed, all).filter(({ storedAt }) => storedAt >= since * 1000);
      return { missing, untold: events.untold(missing, all) };
    };
    await waitFor(() => told().untold.length === 0, heldMs, 'all events').catch(() => {});
    const { missing, untold } = told();
    const counts = `${published.messages.length} publications, ${missing.length} as another machine's`;
    console.log(`${listed.length} events, ${counts}`);
    expect(untold.map(describe)).toEqual([]);
    expect(new PublishedEvents(published.messages).late(all).map(describe)).toEqual([]);
  },
  480_000 + rounds * 20_000,
);
