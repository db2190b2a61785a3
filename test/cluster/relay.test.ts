import { expect, test } from 'vitest';
import { machinesOf, settledCluster, startCluster } from '../support/cluster.ts';
import { fragmentsFrom, writeShown } from '../support/live-view.ts';
import { testMonitor } from '../support/monitors.ts';
import { probe } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

const monitors = ['m1', 'm2', 'm3'].map((id) => testMonitor(id, { alwaysRecord: true }));

interface State {
  readonly id: string;
  readonly state: string;
  readonly machine?: string;
}

test('every machine shows every monitor live, says who records it, and goes on when that one fails', async () => {
  const cluster = await startCluster(monitors);
  await settledCluster(cluster, monitors);
  const [first] = cluster;
  if (!first) throw new Error('there is no machine');
  const ownersHeard = async () => {
    const heard = await machinesOf(first);
    const owners = new Map(
      heard.flatMap(({ name, owned }) => owned.map((id): [string, string] => [id, name])),
    );
    // Evenly spread: a monitor that is moved ends its live views.
    return new Set(owners.values()).size === monitors.length && owners;
  };
  const owners = await waitFor(ownersHeard, 90_000, 'the owners, as another machine hears them');
  for (const { recorder } of cluster) {
    const states = async () => {
      const found = await recorder.get<State[]>('/api/monitor/states');
      return found.every(({ id, state, machine }) => state === 'streaming' && machine === owners.get(id));
    };
    await waitFor(states, 10_000, 'the states of all monitors');
    for (const { id } of monitors) {
      const feed = await recorder.feed(`/api/monitor/${id}/live`);
      const shown = await fragmentsFrom(feed, 10);
      expect((await probe(await writeShown(shown))).frames).toBeGreaterThanOrEqual(10);
      feed.socket.close();
    }
  }

  const [id = '', owner = ''] = [...owners][0] ?? [];
  const victim = cluster.find(({ name }) => name === owner);
  const other = cluster.find(({ name }) => name !== owner);
  const feed = await other?.recorder.feed(`/api/monitor/${id}/live`);
  if (!feed || !victim || !other) throw new Error('there are no other machines');
  await fragmentsFrom(feed, 1);
  await victim.recorder.kill();
  expect(await feed.closed).toBe(1001);
  const again = async () => {
    const next = await other.recorder.feed(`/api/monitor/${id}/live`);
    // Until another machine records it, the view says so, and is closed then.
    return Promise.race([fragmentsFrom(next, 5), next.closed.then(() => undefined)]);
  };
  expect(await waitFor(again, 30_000, 'the pictures of another machine')).toBeDefined();
});
