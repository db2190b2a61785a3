import { link, mkdir, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { formatRecordingID } from '../../../bus/recording-id.ts';
import type { LogStore } from '../../../store/log/log-store.ts';
import { RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { recordingsInOrder } from '../../../store/recordings/retention/recordings-in-order.ts';
import { CatalogueRebuild } from '../../../store/recordings/verification/catalogue-rebuild.ts';
import { atEnd } from '../../support/cleanup.ts';
import { addFootage, pathOf, report, second } from '../../support/footage.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { fileBytes } from '../../support/recorded.ts';
import { retentionOf } from '../../support/retention.ts';
import { startTestLog } from '../../support/test-log.ts';

beforeAll(makeVideo);

const hourUs = 3600 * second;
const nowUs = () => Date.now() * 1000;

async function startArchive() {
  const log = await startTestLog();
  const { folder, bus } = log;
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  const entries: LogEntry[] = [];
  const source = new Logger((entry) => entries.push(entry)).source('recorder');
  /** A file of five seconds, or what is given, that nobody writes any more. @returns its id. */
  const add = async (
    startUs: number,
    data: Buffer | string = fileBytes(video.slice(0, 5)),
    monitorID = 'door',
  ) => {
    const id = formatRecordingID({ startMs: Math.floor(startUs / second) * 1000, monitorID, stream: 'main' });
    const path = pathOf(recordingsDir, id, monitorID);
    await mkdir(dirname(path), { recursive: true });
    await (typeof data === 'string' ? link(data, path) : writeFile(path, data));
    await age(path);
    return id;
  };
  const age = (path: string) => utimes(path, Date.now() / 1000 - 600, Date.now() / 1000 - 600);
  /** Compares the folder with the catalogue and adds what that misses, as the recorder does. */
  const rebuild = async (catalogue: LogStore) => {
    const rebuilding = new CatalogueRebuild({ bus, files, catalogue, log: source });
    atEnd(() => rebuilding.end());
    expect(rebuilding.progress().state).toBe('checking');
    const check = async () => {
      const { retention } = await retentionOf(folder, { catalogue });
      rebuilding.begin((await retention.survey(Date.now())).unlisted);
      await expect.poll(() => rebuilding.progress().state, { timeout: 30_000 }).not.toBe('checking');
    };
    return { rebuilding, check };
  };
  return { ...log, recordingsDir, add, age, rebuild, messages: () => entries.map(({ msg }) => msg) };
}

const list = (catalogue: LogStore) => catalogue.recordings({ limit: 10_000, oldestFirst: true });

test('what is in the folder only is added with its length and codecs, also if it is damaged or was cut off', async () => {
  const { bus, open, recordingsDir, add, age, rebuild, messages } = await startArchive();
  const start = nowUs() - 24 * hourUs;
  const whole = await add(start);
  const cut = await add(start + 60 * second);
  await truncate(pathOf(recordingsDir, cut), fileBytes(video.slice(0, 5)).length - 100);
  await age(pathOf(recordingsDir, cut));
  const damaged = await add(start + 120 * second, Buffer.alloc(1000));
  // Of a pipeline that was killed, before this recorder began: what it reported last is not all that it wrote.
  const killed = await add(start + 180 * second);
  const known = { monitorID: 'door', streams: [], reason: '', bytes: 1000 };
  const killedStart = start + 180.25 * second;
  await report(bus, {
    ...known,
    id: killed,
    state: 'growing',
    start: killedStart,
    end: killedStart + second,
  });
  const catalogue = await open();
  const { rebuilding, check } = await rebuild(catalogue);
  await check();
  await expect.poll(() => rebuilding.progress()).toEqual({ state: 'complete', added: 4, missing: 4 });
  const startOf = (us: number) => Math.floor(us / second) * second;
  const picture = { videoCodec: 'h264', width: 320, height: 240, audioCodec: null };
  expect(await list(catalogue)).toEqual(
    [
      { id: whole, start: startOf(start), end: startOf(start) + 5 * second, ...picture },
      {
        id: cut,
        start: startOf(start + 60 * second),
        end: startOf(start + 60 * second) + 4 * second,
        ...picture,
      },
      { id: damaged, videoCodec: null, reason: 'the file cannot be read', bytes: 1000 },
      {
        id: killed,
        start: killedStart,
        end: killedStart + 5 * second,
        bytes: fileBytes(video.slice(0, 5)).length,
      },
    ].map((each) => expect.objectContaining(each)),
  );
  // What a kill left of a fifth fragment is no recording.
  expect((await stat(pathOf(recordingsDir, cut))).size).toBe(fileBytes(video.slice(0, 4)).length);
  expect((await stat(pathOf(recordingsDir, damaged))).size).toBe(1000);
  expect(messages()).toEqual(['added 4 of 4 recordings to the catalogue in 0 s']);
  // The next check finds nothing.
  await check();
  await expect.poll(() => rebuilding.progress()).toEqual({ state: 'complete', added: 0, missing: 0 });
});

test('a file that may be growing is left for later, and the catalogue counts as incomplete', async () => {
  const { open, recordingsDir, add, rebuild } = await startArchive();
  const id = await add(nowUs() - 24 * hourUs);
  await utimes(pathOf(recordingsDir, id), Date.now() / 1000, Date.now() / 1000);
  const catalogue = await open();
  const { rebuilding, check } = await rebuild(catalogue);
  await check();
  await expect.poll(() => rebuilding.progress()).toEqual({ state: 'rebuilding', added: 0, missing: 1 });
  expect(await list(catalogue)).toEqual([]);
});

test('what a killed pipeline left has its true end ten seconds later', async () => {
  const { bus, open, recordingsDir, add, rebuild } = await startArchive();
  const start = nowUs() - 60 * second;
  const id = await add(start);
  const known = { monitorID: 'door', streams: [], reason: '', bytes: 1000 };
  await report(bus, { ...known, id, state: 'growing', start, end: start + second });
  const catalogue = await open();
  const modify = (agoS: number) =>
    utimes(pathOf(recordingsDir, id), Date.now() / 1000 - agoS, Date.now() / 1000 - agoS);
  const { rebuilding, check } = await rebuild(catalogue);
  await modify(5);
  // One that has begun just now, of which the report comes later than the look into the folder.
  const begun = await add(start + 30 * second);
  await utimes(pathOf(recordingsDir, begun), Date.now() / 1000, Date.now() / 1000);
  await check();
  await expect.poll(() => rebuilding.progress()).toEqual({ state: 'rebuilding', added: 0, missing: 2 });
  expect(await list(catalogue)).toMatchObject([{ id, end: start + second }]);
  const next = { ...known, id: begun, start: start + 30 * second, end: start + 31 * second };
  await report(bus, { ...next, state: 'started' });
  // It looks again by itself, and leaves the one that was reported.
  await expect.poll(() => rebuilding.progress().state, { timeout: 20_000 }).toBe('complete');
  await expect.poll(() => list(catalogue)).toMatchObject([{ id, end: start + 5 * second }, { id: begun }]);
  expect(rebuilding.progress()).toEqual({ state: 'complete', added: 1, missing: 1 });
});

test('many are added in order, with entries that say how far it is, and the oldest are still the oldest', async () => {
  const { bus, open, recordingsDir, add, rebuild, messages } = await startArchive();
  const start = nowUs() - 48 * hourUs;
  const model = pathOf(recordingsDir, await add(start));
  const ids = [];
  for (let n = 1; n <= 1200; n += 1) ids.push(await add(start + n * 60 * second, model));
  const catalogue = await open();
  const { rebuilding, check } = await rebuild(catalogue);
  // One that is recorded meanwhile gets its place in the order before them.
  const place = { bus, recordingsDir };
  const recent = await addFootage(place, { start: nowUs() - 60 * second, fragments: video.slice(0, 5) });
  await check();
  await expect.poll(() => rebuilding.progress().state, { timeout: 60_000 }).toBe('complete');
  expect((await list(catalogue)).map(({ id }) => id).slice(1)).toEqual([...ids, recent]);
  expect(messages()[0]).toBe(
    'the catalogue does not have 1201 recordings of the folder; they are being added',
  );
  expect(messages().at(-1)).toMatch(/^added 1201 of 1201 recordings to the catalogue in \d+ s$/);
  const ordered: string[] = [];
  for await (const { id } of recordingsInOrder(catalogue, [])) ordered.push(id);
  expect(ordered.slice(1)).toEqual([...ids, recent]);
  const { days = [] } = await catalogue.usage({ kind: 'days' });
  expect(days.at(-1)?.newest).toBe((await list(catalogue)).at(-1)?.start);
});

test('a recording begins when its first fragment says, to the microsecond', async () => {
  const { open, add, rebuild } = await startArchive();
  const catalogue = await open();
  const start = Math.floor((nowUs() - 24 * hourUs) / second) * second + 123_456;
  await add(
    start,
    fileBytes(video.slice(0, 5), ({ shownUs }) => start + shownUs - (video[0]?.shownUs ?? 0)),
  );
  const { rebuilding, check } = await rebuild(catalogue);
  await check();
  await expect.poll(() => rebuilding.progress().state).toBe('complete');
  expect(await list(catalogue)).toMatchObject([{ start, end: start + 5 * second }]);
});
