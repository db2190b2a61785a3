import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { events } from '../../../bus/subjects.ts';
import { snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import type { CatalogueProgress } from '../../../store/recordings/verification/catalogue-rebuild.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import { admin, type FrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { type Probe, probe } from '../../support/recordings.ts';
import { routeTable } from '../../support/route-table.ts';
import type { TestSite } from '../../support/test-site.ts';
import { openTwoMachines } from '../../support/two-machines.ts';
import { waitFor } from '../../support/wait.ts';

/** Two real servers; `here` reads the streams of `there`, and hears of it what a test says. */

const guest = { username: 'guest', password: 'welcome back' };
const at = (id: string, machine: string) => `${id}@${machine}`;

interface Listed {
  readonly id: string;
  readonly machine: string;
  readonly away: boolean;
  readonly protected: boolean | null;
  readonly start: number;
}

let hereName: string;
let thereName: string;
let site: TestSite;
let here: FrontDoor;
let there: FrontDoor;
/** Of the catalogue of the other machine. */
let isBroken = false;
let progress: CatalogueProgress = { state: 'complete', added: 0, missing: 0 };
let first: string;
let taken: string;
let snapshots: { door: string; yard: string };
beforeAll(async () => {
  [{ site, here, there, hereName, thereName }] = await Promise.all([
    openTwoMachines(['door', 'yard'], () => {
      if (isBroken) throw new Error('no catalogue');
      return progress;
    }),
    makeVideo(),
  ]);
  await here.accounts.put({
    ...{ id: 'guest', username: guest.username, isAdmin: false, monitors: ['door'] },
    plainPassword: guest.password,
  });
  // A takeover: 10 s there, the same second on both, then here.
  first = await addFootage(there, { start: began, fragments: video.slice(0, 10) });
  taken = await addFootage(here, { start: began + 13 * second, fragments: video.slice(10, 20) });
  await addFootage(there, { start: began + 13 * second, fragments: video.slice(10, 12) });
  await addFootage(there, { start: began, fragments: video.slice(0, 4), monitorID: 'yard' });
  snapshots = { door: await happen('door'), yard: await happen('yard') };
  await waitFor(async () => (await list('')).length === 4, 20_000, 'the recordings of the other machine');
});

/** An event of the other machine, with a snapshot. @returns its id. */
async function happen(monitorID: string): Promise<string> {
  const id = snapshotEventID(began / 1000 + 1000);
  const outbox = new Outbox(10, () => {});
  outbox.attach(there.bus);
  const detections = [{ label: 'person', score: 90 }];
  outbox.add(events, [monitorID, 'tflite'], {
    ...{ id, monitorID, monitorName: '', source: 'tflite', time: began + second, detections },
  });
  await outbox.flush(5000);
  await writeSnapshot(there.folder, id, Buffer.from(`jpeg of ${monitorID}`));
  return id;
}

async function list(query: string, login: typeof user = admin): Promise<Listed[]> {
  return (await (await here.fetch(`/api/recording/query?${query}`, {}, login)).json()) as Listed[];
}

const span = (path: string, from: number, to: number) =>
  `/api/monitor/door/${path}?start=${began + from * second}&end=${began + to * second}`;

test('the list has the recordings of all machines with ids that say whose they are, page by page', async () => {
  const all = await list('monitors=door');
  expect(all.map(({ id, machine, away }) => [id, machine, away])).toEqual([
    [at(taken, thereName), thereName, false],
    [at(taken, hereName), hereName, false],
    [at(first, thereName), thereName, false],
  ]);
  const paged: Listed[] = [];
  for (let before = ''; ; before = `&before=${paged.at(-1)?.id}`) {
    const page = await list(`monitors=door&limit=1${before}`);
    if (page.length === 0) break;
    paged.push(...page);
  }
  expect(paged).toEqual(all);
  const upwards = await list(`monitors=door&limit=2&after=${at(taken, hereName)}`);
  expect(upwards).toEqual(all.slice(0, 1));
  const timeline = `/api/timeline?monitors=door&bucket=${second}&start=${began}&end=${began + 30 * second}`;
  expect(await (await here.fetch(timeline)).json()).toMatchObject({
    monitors: [
      {
        id: 'door',
        recorded: [
          [0, 9],
          [13, 22],
        ],
        events: { person: [[1, 1]] },
      },
    ],
  });
  const [event] = (await (await here.fetch('/api/event/query?monitors=door')).json()) as object[];
  expect(event).toMatchObject({ machine: thereName, recording: at(first, thereName) });
});

test('files, pictures and snapshots come from the machine that has them, in ranges', async () => {
  const path = (id: string) => `/api/recording/${id}/video.mp4`;
  const whole = Buffer.from(await (await there.fetch(path(first))).arrayBuffer());
  const relayed = await here.fetch(path(at(first, thereName)), {}, user);
  expect(relayed.headers.get('accept-ranges')).toBe('bytes');
  expect(Buffer.from(await relayed.arrayBuffer()).equals(whole)).toBe(true);
  const headers = { range: 'bytes=100-299' };
  const part = await here.fetch(path(at(first, thereName)), { headers });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-299/${whole.length}`]);
  expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 300))).toBe(true);
  const head = await here.fetch(path(at(first, thereName)), { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(String(whole.length));

  // One id on both: each is its own.
  const both = await Promise.all(
    [at(taken, hereName), at(taken, thereName), taken].map(async (id) =>
      Number((await here.fetch(path(id), { method: 'HEAD' })).headers.get('content-length')),
    ),
  );
  expect(both[0]).toBe(both[2]);
  expect(both[1]).toBeLessThan(both[0] ?? 0);
  // Relayed once: what says another machine's name is not passed on.
  expect((await there.fetch(path(at(taken, '127.0.0.6')))).status).toBe(404);
  expect((await here.fetch(path(at(taken, 'evil.example')))).status).toBe(404);

  const picture = await here.fetch(`/api/recording/${at(first, thereName)}/thumbnail.jpeg`);
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
  const snapshot = await here.fetch(`/api/event/${snapshots.yard}/snapshot.jpeg`, {}, user);
  expect([snapshot.status, await snapshot.text()]).toEqual([200, 'jpeg of yard']);
});

test('a playlist goes on where another machine does, each part with its address', async () => {
  const text = await (await here.fetch(span('playlist.m3u8', 0, 60))).text();
  const files = [...text.matchAll(/^\.\.\/.*$/gm)].map(([line]) => line);
  expect([...new Set(files)]).toEqual([
    `../../recording/${at(first, thereName)}/video.mp4`,
    `../../recording/${at(taken, hereName)}/video.mp4`,
  ]);
  expect(text.match(/#EXT-X-DISCONTINUITY/g)).toHaveLength(1);
  expect(text.match(/#EXT-X-ENDLIST/g)).toHaveLength(1);
  const times = [...text.matchAll(/DATE-TIME:(.*)/g)].map(([, time = '']) => Date.parse(time) * 1000 - began);
  expect(times.map((us) => Math.round(us / second))).toEqual([0, 13]);
  const known = await here.fetch(span('playlist.m3u8', 0, 60));
  const headers = { 'if-none-match': known.headers.get('etag') ?? '' };
  expect((await here.fetch(span('playlist.m3u8', 0, 60), { headers })).status).toBe(304);
  const early = await (await here.fetch(span('playlist.m3u8', 0, 9))).text();
  expect(early).toContain(at(first, thereName));
  const keys = await (await here.fetch(`${span('playlist.m3u8', 0, 60)}&frames=key`)).text();
  expect(keys.match(/#EXT-X-I-FRAMES-ONLY/g)).toHaveLength(1);
  expect((await here.fetch(span('playlist.m3u8', 0, 90_000))).status).toBe(400);
  // Today's owner comes first, where both have footage.
  site.hear('door', thereName);
  const owned = await (await here.fetch(span('playlist.m3u8', 13, 15))).text();
  site.hear('door', undefined);
  expect(owned).toContain(at(taken, thereName));
});

test('what another machine has a part of says whether the catalogue there is complete', async () => {
  const lists = [
    '/api/recording/query?monitors=door',
    `/api/timeline?monitors=door&start=${began}&end=${began + 60 * second}`,
  ];
  const paths = [span('playlist.m3u8', 0, 60), span('clip.mp4', 0, 53), ...lists];
  const said = async () => {
    const answers = await Promise.all(paths.map((path) => here.fetch(path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    return answers.map((answer) => answer.headers.get('x-catalogue-incomplete'));
  };
  expect(await said()).toEqual([null, null, null, null]);
  progress = { state: 'rebuilding', added: 1, missing: 7 };
  const rebuilding = 'rebuilding; added=1; missing=7';
  expect(await said()).toEqual([rebuilding, rebuilding, rebuilding, rebuilding]);
  // Of this machine's footage alone nothing is missing.
  expect((await here.fetch(span('clip.mp4', 13, 53))).headers.get('x-catalogue-incomplete')).toBe(null);
  progress = { ...progress, state: 'complete' };
  // One that cannot say it may miss something.
  isBroken = true;
  for (const path of [span('clip.mp4', 0, 53), ...lists])
    expect((await here.fetch(path)).headers.get('x-catalogue-incomplete')).toBe('checking');
  isBroken = false;
  // One that is away is named where something is of it.
  site.away.add(thereName);
  expect((await here.fetch(lists[0] ?? '')).headers.get('x-catalogue-incomplete')).toBe(null);
  site.away.delete(thereName);
});

/** A clip, of which any part can be had as well. */
async function clipOf(from: number, to: number): Promise<Probe> {
  const whole = await here.fetch(span('clip.mp4', from, to));
  expect(whole.status).toBe(200);
  const bytes = Buffer.from(await whole.arrayBuffer());
  const middle = bytes.length >> 1;
  const headers = { range: `bytes=${middle}-`, 'if-range': whole.headers.get('etag') ?? '' };
  const part = await here.fetch(span('clip.mp4', from, to), { headers });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(middle))).toBe(true);
  const file = join(here.folder, `clip-${from}-${to}.mp4`);
  await writeFile(file, bytes);
  const found = await probe(file);
  expect(found.complaints).toBe('');
  return found;
}

test('a clip goes on where another machine does', async () => {
  const [theirs, ours, both] = [await clipOf(0, 13), await clipOf(13, 60), await clipOf(0, 60)];
  expect(theirs.frames).toBe(ours.frames);
  expect(both.frames).toBe(theirs.frames + ours.frames);
  // The part of each machine is cut to the frame; the first one begins with a key frame.
  const parts = await clipOf(4, 15);
  expect(parts.frames).toBe((theirs.frames * 8) / 10);

  site.away.add(thereName);
  const refused = await here.fetch(span('clip.mp4', 1, 60));
  site.away.delete(thereName);
  const change = began + 13 * second;
  expect([refused.status, await refused.json()]).toMatchObject([
    409,
    {
      changes: [change],
      detail: `${thereName} is away, and has a part of this. Another machine begins at ${change}.`,
    },
  ]);
});

test('a clip of this disk does not wait for another machine, nor anyone for one that its viewer has left', async () => {
  const indexBytes = there.recordings.indexBytes.bind(there.recordings);
  const asked: (() => void)[] = [];
  const spy = vi.spyOn(there.recordings, 'indexBytes').mockImplementation(async (id) => {
    await new Promise<void>((resolve) => asked.push(resolve));
    return indexBytes(id);
  });
  const impatient = new AbortController();
  const left = here.fetch(span('clip.mp4', 0, 50), { signal: impatient.signal }).catch(() => 'left');
  await waitFor(() => asked.length === 1, 10_000, 'the other machine to be asked');
  const next = here.fetch(span('clip.mp4', 0, 51));
  expect((await here.fetch(span('clip.mp4', 13, 50))).status).toBe(200);
  expect(asked).toHaveLength(1);
  impatient.abort();
  expect(await left).toBe('left');
  await waitFor(() => asked.length === 2, 4000, 'the next clip');
  spy.mockRestore();
  for (const answer of asked) answer();
  expect((await next).status).toBe(200);
});

test('a clip does not wait for a machine that has stopped in the middle of its answer', async () => {
  const spy = vi.spyOn(there.recordings, 'indexBytes').mockReturnValue(new Promise(() => {}));
  const answer = await here.fetch(span('clip.mp4', 0, 52));
  spy.mockRestore();
  const detail = `${thereName} has to answer, and cannot be reached.`;
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'unavailable', detail }]);
});

test('a recording is protected and deleted where it is', async () => {
  const id = await addFootage(there, { start: began + 3600 * second, fragments: video.slice(0, 2) });
  const theirs = at(id, thereName);
  const listed = async () => (await list('monitors=door')).find((one) => one.id === theirs);
  await waitFor(async () => (await listed())?.protected === false, 10_000, 'the recording');
  expect((await here.change('PUT', `/api/recording/${theirs}/protect`, undefined, user)).status).toBe(403);
  expect((await here.change('PUT', `/api/recording/${theirs}/protect`)).status).toBe(200);
  expect(await listed()).toMatchObject({ protected: true });
  expect(there.logged.map(({ msg }) => msg)).toContain(`recording ${id} protected by 'admin'`);
  expect((await here.change('DELETE', `/api/recording?id=${theirs}`)).status).toBe(409);
  expect((await here.change('DELETE', `/api/recording/${theirs}/protect`)).status).toBe(200);
  expect((await here.change('DELETE', `/api/recording?id=${theirs}`)).status).toBe(200);
  await waitFor(async () => (await listed()) === undefined, 10_000, 'the deletion');
});

/** What an account that sees the door alone asks of the other machine, about either camera. */
const relayed = routeTable()
  .filter(({ relay, access, connect }) => relay && access === 'user' && !connect)
  .map(({ method, path, relay }) => [method, path, relay] as const);
test.each(relayed)('%s %s keeps to the monitors of its caller', async (method, path, relay) => {
  const ask = async (monitor: 'door' | 'yard') => {
    const [recording] = await list(`monitors=${monitor}&start=${began}&end=${began + second}`);
    const id = { monitor, recording: recording?.id, event: snapshots[monitor] };
    const kind = relay === 'clip' || relay === 'playlist' ? 'monitor' : relay;
    const target = path.replace(':id', String(id[kind as keyof typeof id]));
    const query = kind === 'monitor' ? `?start=${began}&end=${began + 4 * second}` : '';
    const answer = await here.fetch(target + query, { method }, guest);
    return [answer.status, answer.status === 200 ? '' : await answer.text()] as const;
  };
  expect((await ask('door'))[0]).toBe(200);
  const [status, text] = await ask('yard');
  expect(status).toBe(404);
  expect(text).not.toMatch(/yard|machine|127\./);
});

test('of a machine that is away the recordings are listed, and asking for them says so at once', async () => {
  expect((await list('', guest)).map(({ id }) => id).filter((id) => id.includes('yard'))).toEqual([]);
  site.away.add(thereName);
  const [last, own, oldest] = await list('monitors=door');
  expect([last, own, oldest]).toMatchObject([
    { machine: thereName, away: true, protected: null },
    { machine: hereName, away: false, protected: false },
    { machine: thereName, away: true },
  ]);
  const detail = `${thereName} is away: what it has on its disk can be had when it is back.`;
  const id = at(first, thereName);
  const asked = [`/api/recording/${id}/video.mp4`, `/api/recording/${id}/thumbnail.jpeg`];
  asked.push(
    `/api/event/${snapshots.door}/snapshot.jpeg`,
    span('clip.mp4', 0, 9),
    span('playlist.m3u8', 0, 9),
  );
  for (const path of asked) {
    const answer = await here.fetch(path);
    expect([path, answer.status, await answer.json()]).toMatchObject([path, 503, { detail }]);
  }
  const refused = await here.change('DELETE', `/api/recording?id=${id}`);
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'unavailable', detail }]);
  // What is left is played.
  const playlist = await here.fetch(span('playlist.m3u8', 0, 60));
  expect(playlist.headers.get('x-footage-away')).toBe(thereName);
  expect(await playlist.text()).not.toContain(thereName);
  site.away.delete(thereName);
  expect((await here.fetch(`/api/recording/${id}/video.mp4`)).status).toBe(200);
});
