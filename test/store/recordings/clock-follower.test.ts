import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { MachineClock } from '../../../bus/base/machine-clock.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import { parseRecordingID, type RecordedStream } from '../../../bus/recording-id.ts';
import { events } from '../../../bus/subjects.ts';
import type { MediaFragment } from '../../../pipelines/mp4/media-fragment.ts';
import { ClockCorrection } from '../../../store/recordings/clock/clock-correction.ts';
import { ClockFollower, type ClockFollowerOptions } from '../../../store/recordings/clock/clock-follower.ts';
import { ClockHistory } from '../../../store/recordings/clock/clock-history.ts';
import { correctRecording } from '../../../store/recordings/clock/corrected-recording.ts';
import { PendingReports } from '../../../store/recordings/clock/pending-reports.ts';
import { type OpenRecording, RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../../../store/recordings/files/recording-marks.ts';
import { checkArchive } from '../../../store/recordings/verification/archive-check.ts';
import { askEntries } from '../../../store/recordings/verification/catalogue-questions.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { addFootage, report, second } from '../../support/footage.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { startTestLog } from '../../support/test-log.ts';

beforeAll(makeVideo);

const hourUs = 3600 * second;
const nowUs = () => Date.now() * 1000;
const firstUs = () => video[0]?.startUs ?? 0;

/** An archive whose machine has a clock that can be set, and the messages of who follows it. */
async function startArchive() {
  const { folder, bus, open } = await startTestLog();
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  const catalogue = await open();
  const messages: string[] = [];
  const log = new Logger(({ msg }) => messages.push(msg)).source('recorder');
  const [began, wall] = [nowUs(), { aheadUs: 0 }];
  const clock = new MachineClock(() => ({
    wallUs: nowUs() + wall.aheadUs,
    monotonicUs: performance.now() * 1000,
  }));
  /** A recording of so many seconds ago, by the clock as it is. */
  const add = (agoS: number) => {
    const start = began + wall.aheadUs - agoS * second;
    const timeOf = ({ startUs }: MediaFragment) => start + startUs - firstUs();
    const footage = { start, fragments: video.slice(0, 10), timeOf, machine: clock.start };
    return addFootage({ bus, recordingsDir }, { ...footage, state: 'saved' });
  };
  const agoS = async () =>
    (await catalogue.recordings({ limit: 10, oldestFirst: true })).map(({ start }) =>
      Math.round((began - start) / second),
    );
  const [history, pending] = [
    await ClockHistory.open(folder, clock.start),
    await PendingReports.open(folder),
  ];
  const follow = (options: Partial<ClockFollowerOptions> = {}) => {
    const follower = new ClockFollower({
      ...{ bus, files, catalogue, log, onRenamed: () => {}, history, pending, clock },
      ...options,
    });
    atEnd(() => follower.end());
    return follower;
  };
  return { folder, bus, catalogue, messages, wall, clock, add, agoS, follow };
}

test('recordings made by a clock that was hours ahead get their true times and names once it is set back', async () => {
  const { folder, bus, open } = await startTestLog();
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  const marks = new RecordingMarks(files);
  const catalogue = await open();
  const wrongUs = 3 * hourUs;
  let aheadUs = wrongUs;
  const clock = new MachineClock(() => ({
    wallUs: nowUs() + aheadUs,
    monotonicUs: performance.now() * 1000,
  }));
  const began = nowUs();
  const [wrong, { boot }] = [clock.start, clock.start];
  /** Ten seconds by the wrong clock, or another one. @param agoS how long ago it was, in seconds. */
  const add = (
    agoS: number,
    stream: RecordedStream = 'main',
    machine = wrong,
    byUs = wrongUs,
    state: 'saved' | 'found' = 'saved',
  ) => {
    const start = Math.round(began + byUs - agoS * second);
    const timeOf = ({ startUs }: MediaFragment) => start + startUs - firstUs();
    return addFootage(
      { bus, recordingsDir },
      { stream, start, fragments: video.slice(0, 10), timeOf, machine, state },
    );
  };
  const list = () => catalogue.recordings({ limit: 100, oldestFirst: true });
  const times = async (stream: RecordedStream) =>
    (await list())
      .filter((one) => one.stream === stream)
      .map(({ start, end }) => [start, end ?? 0].map((us) => Math.round((us - began) / second)));

  // Of before the last start of this machine, by the same wrong clock: how wrong it was then, nobody knows.
  const old = await add(9 * 3600, 'main', { ...wrong, boot: 'ab'.repeat(16) });
  const ahead = [await add(10_900), await add(40), await add(30, 'sub'), await add(30)];
  await marks.protect(ahead[3] ?? '', 'admin');
  // In the second-last one; where that was moved to, another one of the wrong clock was not yet.
  const detections = [{ label: 'person', score: 80 }];
  const seen = { monitorID: 'door', monitorName: 'Door', source: 'tflite', detections } as const;
  const seenAgoS = [10_895, 35, 25];
  for (const agoS of seenAgoS) {
    const id = `${agoS} s ago`;
    await bus.store(events, ['door', 'tflite'], { ...seen, id, time: began + wrongUs - agoS * second }, id);
  }
  const messages: string[] = [];
  const log = new Logger(({ msg }) => messages.push(msg)).source('recorder');
  const onRenamed = () => {};
  const options = { bus, files, catalogue, log, onRenamed, clock, steadyMs: 0 };
  const history = await ClockHistory.open(folder, clock.start);
  const pending = await PendingReports.open(folder);
  const follower = new ClockFollower({ ...options, history, pending });
  atEnd(() => follower.end());
  await follower.idle();
  expect((await list()).map(({ id }) => id)).toEqual([old, ...ahead].sort());

  aheadUs = 0;
  follower.look();
  await follower.idle();
  // The first of the right clock, and one that was being recorded when it was set.
  await add(10, 'main', { boot, startedUs: wrong.startedUs - wrongUs }, 0);
  const last = await add(20);
  // Left by a kill.
  await add(60, 'sub', wrong, wrongUs, 'found');
  await expect
    .poll(() => times('main'), { timeout: 10_000 })
    .toEqual([[-6 * 3600, 10 - 6 * 3600], ...[-10_900, -40, -30, -20, -10].map((from) => [from, from + 10])]);
  await expect
    .poll(() => times('sub'), { timeout: 10_000 })
    .toEqual([-60, -30].map((from) => [from, from + 10]));
  const listed = await list();
  const found = await catalogue.events({ limit: 10, oldestFirst: true });
  expect(found.map(({ id, time }) => [id, Math.round((time - began) / second)])).toEqual(
    seenAgoS.map((agoS) => [`${agoS} s ago`, -agoS]),
  );
  expect(found.map(({ recording }) => recording)).toEqual(
    [-10_900, -40, -30].map(
      (from) =>
        listed.find(({ stream, start }) => stream === 'main' && Math.round((start - began) / second) === from)
          ?.id,
    ),
  );
  for (const { id, start } of listed)
    expect(parseRecordingID(id)?.startMs).toBe(Math.floor(start / second) * 1000);
  const findings: string[] = [];
  const ask = askEntries(listed);
  for await (const checked of checkArchive({ recordingsDir, files, ask, isRunning: false }))
    findings.push(...checked.findings.map(({ text }) => text));
  expect(findings).toEqual([]);
  const kept = await marks.protectedOf(listed.map(({ id }) => id));
  expect([...kept]).toEqual([
    listed.find(({ id, start }) => start - began > -31e6 && !id.includes('sub'))?.id,
  ]);
  await follower.idle();
  const what = "of before this machine's clock was set got the true times: 3.0 hours earlier";
  expect(messages).toEqual([`4 recordings ${what}`, `a recording ${what}`, `a recording ${what}`]);

  // Three hours later, a recording begins in the second that the wrong clock has said before.
  const again = {
    id: last,
    monitorID: 'door',
    start: nowUs(),
    end: nowUs(),
    bytes: 1,
    streams: [],
    reason: '',
  };
  await report(bus, { ...again, state: 'started' });
  await expect.poll(async () => (await list()).map(({ id }) => id)).toContain(last);
});

test('a clock that is set back and at once ahead again leaves no times of between, also where the catalogue has still the names of before', async () => {
  const { catalogue, wall, add, agoS, follow } = await startArchive();
  await add(60);
  const latest = (isFound: boolean) => catalogue.usage({ kind: 'latest', limit: 100, isFound });
  await expect.poll(async () => (await latest(false)).ended?.length).toBe(1);
  const before = [await latest(false), await latest(true)];
  let isBehind = false;
  const late: typeof catalogue.usage = async (question) =>
    (isBehind && question.kind === 'latest' && before[Number(question.isFound)]) || catalogue.usage(question);
  const follower = follow({ catalogue: { usage: late }, steadyMs: 0 });

  wall.aheadUs = -15 * second;
  follower.look();
  await follower.idle();
  await expect.poll(agoS).toEqual([75]);
  isBehind = true;
  wall.aheadUs = 0;
  follower.look();
  await follower.idle();
  isBehind = false;
  await expect.poll(agoS, { timeout: 15_000 }).toEqual([60]);
});

test('a recorder that is killed just after its clock was set ahead leaves no recording with the times of before', async () => {
  const { folder, bus, open } = await startTestLog();
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  let catalogue = await open();
  const log = new Logger(() => {}).source('recorder');
  let aheadUs = 0;
  const readClock = () => ({ wallUs: nowUs() + aheadUs, monotonicUs: performance.now() * 1000 });
  const began = nowUs();
  /** The clock as a recorder sees it that is started now. */
  const startFollower = async (clock = new MachineClock(readClock)) => {
    const history = await ClockHistory.open(folder, clock.start);
    const pending = await PendingReports.open(folder);
    const options = { bus, files, catalogue, log, onRenamed: () => {}, history, pending, clock, steadyMs: 0 };
    return { follower: new ClockFollower(options), clock };
  };
  const first = await startFollower();
  aheadUs = -hourUs;
  first.follower.look();
  await first.follower.idle();
  const add = (agoS: number, state: 'saved' | 'started') => {
    const start = began - hourUs - agoS * second;
    const timeOf = ({ startUs }: MediaFragment) => start + startUs - firstUs();
    const footage = { start, fragments: video.slice(0, 10), timeOf, machine: first.clock.start, state };
    return addFootage({ bus, recordingsDir }, footage);
  };
  await add(40, 'saved');
  // It is being recorded when the recorder is killed.
  await add(20, 'started');
  const agoS = async () =>
    (await catalogue.recordings({ limit: 10, oldestFirst: true })).map(({ start }) =>
      Math.round((began - start) / second),
    );
  await expect.poll(agoS).toEqual([3640, 3620]);
  await first.follower.end();

  aheadUs = 0;
  await catalogue.close();
  catalogue = await open();
  const { follower } = await startFollower();
  atEnd(() => follower.end());
  follower.look();
  await follower.idle();
  await expect.poll(agoS, { timeout: 10_000 }).toEqual([40, 20]);
});

/** Files with which one recording does not get its new name as it should. */
class TroubledFiles extends RecordingFiles {
  readonly reached: Promise<void>;
  readonly #trouble: Trouble;
  #reach: () => void = () => {};
  #isOver = false;

  constructor(recordingsDir: string, trouble: Trouble) {
    super(recordingsDir);
    this.#trouble = trouble;
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  override async rename(id: string, to: string): Promise<void> {
    if (this.#isOver || this.#trouble === 'killed after it') await super.rename(id, to);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reach();
    if (this.#trouble === 'refused') throw new Error('EIO');
    return new Promise(() => {});
  }
}
type Trouble = 'killed before it' | 'killed after it' | 'refused';

test.each<Trouble>(['killed before it', 'killed after it', 'refused'])(
  'events of a recording get its true times, also with trouble at its new name: %s',
  async (trouble) => {
    const { folder, bus, catalogue, wall, clock, add, agoS, follow } = await startArchive();
    const set = (follower: ClockFollower, aheadUs: number) => {
      wall.aheadUs = aheadUs;
      follower.look();
    };
    const before = follow({ steadyMs: 0 });
    set(before, hourUs);
    await before.idle();
    await before.end();
    const { startedUs } = clock.start;
    await add(40);
    const began = nowUs();
    const detections = [{ label: 'person', score: 80 }];
    const seen = { monitorID: 'door', monitorName: 'Door', source: 'tflite', detections, startedUs } as const;
    // Just before the recording, and in it: of the first one, the clock alone says that it is wrong.
    for (const ago of [50, 38]) {
      const time = began + hourUs - ago * second;
      await bus.store(events, ['door', 'tflite'], { ...seen, id: `${ago}`, time }, `${ago}`);
    }
    await expect.poll(agoS).toEqual([40 - 3600]);
    const eventsAgoS = async () =>
      (await catalogue.events({ limit: 10, oldestFirst: true })).map(({ time }) =>
        Math.round((began - time) / second),
      );
    await expect.poll(eventsAgoS).toEqual([50 - 3600, 38 - 3600]);

    const start = async (files?: RecordingFiles) =>
      new ClockFollower({
        ...{ bus, catalogue, log: new Logger(() => {}).source('recorder'), onRenamed: () => {}, clock },
        ...{ files: files ?? new RecordingFiles(join(folder, 'recordings')), steadyMs: 0 },
        ...{
          history: await ClockHistory.open(folder, clock.start),
          pending: await PendingReports.open(folder),
        },
      });
    const files = new TroubledFiles(join(folder, 'recordings'), trouble);
    const troubled = await start(files);
    set(troubled, 0);
    await files.reached;
    const journal = join(folder, 'clock-reports');
    const left = await readFile(journal);
    const next = trouble === 'refused' ? troubled : await start();
    atEnd(() => next.end());
    await expect.poll(agoS, { timeout: 20_000 }).toEqual([40]);
    await expect.poll(eventsAgoS, { timeout: 20_000 }).toEqual([50, 38]);
    await expect.poll(() => existsSync(journal)).toBe(false);

    // A kill came after the bus had the report: it is published once more.
    await writeFile(journal, left);
    const again = await start();
    atEnd(() => again.end());
    await expect.poll(() => existsSync(journal)).toBe(false);
    await add(20);
    await expect.poll(agoS).toEqual([40, 20]);
    expect(await eventsAgoS()).toEqual([50, 38]);
  },
);

test('half a line among the reports that a recorder has left spoils no other one', async () => {
  const folder = await temporaryFolder();
  const [id, formerID] = ['2026-11-23_03-40-12_door', '2026-11-23_04-40-12_door'];
  const renamed = { id, formerID, monitorID: 'door', start: 1, end: 2, bytes: 3, streams: [], reason: '' };
  await writeFile(join(folder, 'clock-reports'), '{"id":"2026');
  const pending = await PendingReports.open(folder);
  await pending.add({ ...renamed, state: 'found' });
  const { all } = await PendingReports.open(folder);
  expect(all).toEqual([{ ...renamed, state: 'found' }]);
  await pending.remove([formerID]);
  expect((await PendingReports.open(folder)).all).toEqual([]);
});

test('a clock that is set again while recordings get other times leaves the others as they are', async () => {
  const { messages, wall, add, agoS, follow } = await startArchive();
  for (const each of [120, 80, 40]) await add(each);
  await expect.poll(agoS).toEqual([120, 80, 40]);
  const onRenamed = () => {
    wall.aheadUs = 0;
    follower.look();
  };
  const follower = follow({ onRenamed, steadyMs: 0 });
  wall.aheadUs = -15 * second;
  follower.look();
  await follower.idle();
  await follower.idle();
  await expect.poll(agoS, { timeout: 10_000 }).toEqual([120, 80, 40]);
  const what = "a recording of before this machine's clock was set got the true times: 15.0 s";
  expect(messages).toEqual([`${what} earlier`, `${what} later`]);
});

/** Files of which one is in a bad place of the disk. */
class DamagedFiles extends RecordingFiles {
  readonly #damaged: string;

  constructor(recordingsDir: string, damaged: string) {
    super(recordingsDir);
    this.#damaged = damaged;
  }

  override async open(id: string): Promise<OpenRecording | undefined> {
    if (id === this.#damaged) throw new Error('EIO: i/o error, read');
    return super.open(id);
  }
}

test('a recording that cannot be read is left out and said, and the others get their true times', async () => {
  const { folder, messages, wall, add, agoS, follow } = await startArchive();
  await add(120);
  const damaged = await add(80);
  await add(40);
  await expect.poll(agoS).toEqual([120, 80, 40]);
  const follower = follow({ files: new DamagedFiles(join(folder, 'recordings'), damaged), steadyMs: 0 });
  wall.aheadUs = -15 * second;
  follower.look();
  await follower.idle();
  await expect.poll(agoS, { timeout: 10_000 }).toEqual([135, 80, 55]);
  const of = "of before this machine's clock was set got the true times: 15.0 s earlier";
  expect(messages).toContain(`2 recordings ${of}`);
  expect(messages).toContain(
    `times of recordings are those of the clock before it was set: 1 of 3: ${damaged}: EIO: i/o error, read`,
  );
});

test('a clock that is wrong for some seconds, again and again, moves what was recorded by it and nothing else', async () => {
  const { messages, wall, add, agoS, follow } = await startArchive();
  await add(200);
  const follower = follow();
  const set = async (toS: number) => {
    wall.aheadUs = toS * second;
    follower.look();
    await follower.idle();
  };
  for (const [index, wrongS] of [-15, 15, -15, 15].entries()) {
    await set(wrongS);
    await add(160 - 40 * index);
    await expect.poll(async () => (await agoS()).length).toBe(index + 2);
    await set(0);
  }
  await expect.poll(agoS, { timeout: 10_000 }).toEqual([200, 160, 120, 80, 40]);
  const what = "of before this machine's clock was set got the true times: 15.0 s";
  const [later, earlier] = [`a recording ${what} later`, `a recording ${what} earlier`];
  expect(messages).toEqual([later, earlier, later, earlier]);
});

test('the report of a corrected recording says its clock of before, unless it had its true times already', async () => {
  const { folder, bus } = await startTestLog();
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  const start = nowUs() - 60 * second;
  const timeOf = ({ startUs }: MediaFragment) => start + startUs - firstUs();
  const [wrong, right] = [nowUs() - 24 * hourUs, nowUs() - 25 * hourUs].map(Math.round) as [number, number];
  const machine = { startedUs: wrong, boot: 'b'.repeat(32) };
  const footage = { start, fragments: video.slice(0, 10), timeOf, machine, state: 'saved' } as const;
  const id = await addFootage({ bus, recordingsDir }, footage);
  const correct = (of: string, startedUs: number) =>
    correctRecording(files, of, new ClockCorrection({ ...machine, startedUs }, nowUs()), new Set());
  const first = await correct(id, right);
  expect(first?.startedUs).toEqual({ former: wrong, now: right });
  const again = await correct(first?.id ?? '', right + 1000);
  expect(again).toMatchObject({ start: first?.start });
  expect(again?.startedUs).toBeUndefined();
});

const correction = (startedUs: number, now = nowUs(), provenUs = 0) =>
  new ClockCorrection({ startedUs, boot: 'b' }, now, provenUs);

test('a clock that is set ahead is followed only if it had been behind for certain', () => {
  const [now, boot] = [nowUs(), 'b'];
  const [year, day] = [365 * 24 * hourUs, 24 * hourUs];
  // Without a battery it began in 1970.
  expect(correction(now - day).isNeeded({ startedUs: 0, boot }, hourUs)).toBe(true);
  // By mistake it is set by decades.
  expect(
    correction(now - day + 20 * year, now + 20 * year).isNeeded({ startedUs: now - day, boot }, now),
  ).toBe(false);
  // It had said less than at the end of what was recorded before the start.
  const behind = { startedUs: now - day - 3 * hourUs, boot };
  expect(correction(now - day, now, now - day).isNeeded(behind, now - day - hourUs)).toBe(true);
  expect(correction(now - day, now, now - day).isNeeded(behind, now - hourUs)).toBe(false);
  // Another start, or a recording that says none.
  expect(correction(now - day).isNeeded({ startedUs: 0, boot: 'c' }, hourUs)).toBe(false);
  expect(correction(now - day).isNeeded(undefined, hourUs)).toBe(false);
  // A clock that is set back to 1970 is not right.
  expect(correction(0, hourUs).isNeeded({ startedUs: now, boot }, now)).toBe(false);
});

test('a clock that was ahead by seconds may have drifted: what is older is moved less, at most by 100 ppm, and keeps its order', () => {
  const now = nowUs();
  const [boot, day] = ['b', 24 * hourUs];
  const clock = correction(now - 100 * day, now);
  const ahead = { startedUs: now - 100 * day + 15 * second, boot };
  expect(clock.shiftUs(ahead, now + 15 * second)).toBe(-15 * second);
  expect(clock.shiftUs(ahead, now - day)).toBeGreaterThan(-15 * second);
  expect(clock.isNeeded(ahead, now - 2 * day)).toBe(false);
  for (let at = now + 15 * second; at > now - 3 * day; at -= hourUs) {
    const passedUs = at + clock.shiftUs(ahead, at) - (at - hourUs + clock.shiftUs(ahead, at - hourUs));
    expect(Math.abs(passedUs - hourUs)).toBeLessThanOrEqual(hourUs * 101e-6);
  }
});
