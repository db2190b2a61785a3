import { expect, test } from 'vitest';
import { makeClusterKeys, newClusterSecret } from '../../../bus/nats/control/cluster-keys.ts';
import { machineToken } from '../../../bus/nats/control/machine-token.ts';
import { ensureStreams } from '../../../bus/nats/jetstream.ts';
import type { CatalogueProgress } from '../../../store/recordings/verification/catalogue-rebuild.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor } from '../../support/http-server.ts';
import { rtspMonitor } from '../../support/monitors.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { freePort } from '../../support/ports.ts';
import { TestSite } from '../../support/test-site.ts';
import { waitFor } from '../../support/wait.ts';

/** What another machine has, where its stream does not say it. */

const [hereName, thereName] = ['127.0.0.4', '127.0.0.5'];
const at = (id: string, machine = thereName) => `${id}@${machine}`;

async function prepare() {
  await makeVideo();
  const machines = [hereName, thereName];
  const keys = await makeClusterKeys(newClusterSecret(), machines);
  const port = await freePort();
  const [site, theirs] = machines.map((name) => new TestSite(name, machines, keys, port));
  if (!site || !theirs) throw new Error('two machines');
  return {
    site,
    /** The other machine, with a disk of its own. */
    openThere: (catalogueProgress?: () => CatalogueProgress) =>
      openFrontDoor({
        ...{ site: theirs, domain: machineToken(thereName) },
        ...(catalogueProgress && { catalogueProgress }),
      }),
    /** The one that is asked, with what it knew before. */
    async openHere({ busAddress: address }: FrontDoor, folder?: string) {
      const others = { address, others: [thereName] };
      const here = await openFrontDoor({ site, others, ...(folder !== undefined && { folder }) });
      await here.monitors.put(rtspMonitor('door', ['rtsp://127.0.0.1/main'], { alwaysRecord: true }));
      return here;
    },
  };
}

const list = async (door: FrontDoor) =>
  ((await (await door.fetch('/api/recording/query?monitors=door')).json()) as { id: string }[]).map(
    ({ id }) => id,
  );

const lists = (door: FrontDoor, ids: readonly string[], what: string) =>
  waitFor(async () => (await list(door)).join() === ids.join(), 20_000, what);

const add = (door: FrontDoor, atSecond: number, count = 4) =>
  addFootage(door, { start: began + atSecond * second, fragments: video.slice(0, count) });

/** The stream drops what it has; the machine itself has read it. */
async function dropReports(door: FrontDoor): Promise<void> {
  await (await door.bus.jetStream.manager).streams.purge('RECORDINGS');
}

test('what a machine has recorded before its stream begins is listed and played; what was missed is made good', async () => {
  const { openThere, openHere } = await prepare();
  let progress: CatalogueProgress = { state: 'checking', added: 0, missing: 0 };
  let asked = 0;
  const there = await openThere(() => {
    asked += 1;
    return progress;
  });
  const [first, next] = [await add(there, 0), await add(there, 60)];
  await lists(there, [at(next), at(first)], 'its own recordings');
  await dropReports(there);
  const third = await add(there, 120);

  // Until it knows what it has, only what its stream says is known.
  const here = await openHere(there);
  await waitFor(() => asked > 1, 20_000, 'the catalogue to be asked for');
  expect(await list(here)).toEqual([at(third)]);
  progress = { ...progress, state: 'complete' };
  await lists(here, [at(third), at(next), at(first)], 'all that it has');
  const [theirs, ours] = await Promise.all([
    there.fetch(`/api/recording/${first}/video.mp4`),
    here.fetch(`/api/recording/${at(first)}/video.mp4`),
  ]);
  expect([ours.status, await ours.text()]).toEqual([200, await theirs.text()]);
  const timeline = `/api/timeline?monitors=door&bucket=${second}&start=${began}&end=${began + 70 * second}`;
  expect(await (await here.fetch(timeline)).json()).toMatchObject({
    monitors: [
      {
        recorded: [
          [0, 3],
          [60, 63],
        ],
      },
    ],
  });

  // It was off, for longer than the stream of the other one goes back.
  await here.close();
  expect((await there.change('DELETE', `/api/recording?id=${first}`)).status).toBe(200);
  const fourth = await add(there, 180);
  await lists(there, [at(fourth), at(third), at(next)], 'what it has now');
  await dropReports(there);
  const again = await openHere(there, here.folder);
  await lists(again, [at(fourth), at(third), at(next)], 'what it has now, on the machine that was off');
});

test('what a machine has lost with its disk is listed no longer, and hides nothing', async () => {
  const { site, openThere, openHere } = await prepare();
  const there = await openThere();
  const theirs = await add(there, 0);
  const here = await openHere(there);
  const ours = await add(here, 0, 5);
  site.hear('door', thereName);
  await lists(here, [at(theirs), at(ours, hereName)], 'both recordings');
  const playlist = async (door: FrontDoor) =>
    (await door.fetch(`/api/monitor/door/playlist.m3u8?start=${began}&end=${began + 4 * second}`)).text();
  expect(await playlist(here)).not.toContain(at(ours, hereName));
  await Promise.all([here.close(), there.close()]);

  const replaced = await openThere();
  await ensureStreams(replaced.bus, true);
  const again = await openHere(replaced, here.folder);
  await lists(again, [at(ours, hereName)], 'the recordings of the new disk');
  expect(await playlist(again)).toContain(at(ours, hereName));
  const newest = await add(replaced, 60);
  await lists(again, [at(newest), at(ours, hereName)], 'a new recording');
});
