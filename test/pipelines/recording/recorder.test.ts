import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry, RecordingReport } from '../../../bus/messages.ts';
import type { MediaFragment } from '../../../pipelines/mp4/media-fragment.ts';
import { movieFragment } from '../../../pipelines/mp4/movie-fragment.ts';
import type { TimedFragment } from '../../../pipelines/recording/preroll.ts';
import { Recorder, type RecorderOptions } from '../../../pipelines/recording/recorder.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { decode, probe } from '../../support/probe.ts';
import { project } from '../../support/project.ts';
import { fragmentsOf } from '../../support/recorded.ts';
import { mediaPackets, videoPackets } from '../../support/rtp.ts';
import { waitFor } from '../../support/wait.ts';

const second = 1_000_000;
/** 2026-11-23 03:40:12.5 UTC */
const began = Date.UTC(2026, 10, 23, 3, 40, 12, 500) * 1000;

let video: MediaFragment[];
beforeAll(async () => {
  // 40 s at 10 frames/s, a key frame every 2 s, fragments of a second.
  video = fragmentsOf({
    video: mediaPackets(await videoPackets('h264', { frames: 400, keyFrameEvery: 20 })),
  });
});

/** The fragments as if the first picture had been taken then. */
const timed = (from = began): TimedFragment[] =>
  video.map((fragment) => ({ ...fragment, time: from + fragment.startUs - (video[0]?.startUs ?? 0) }));

/** What a fragment takes in a file. */
const bytesOf = (fragment: MediaFragment): number =>
  movieFragment(fragment, 1, 0).reduce((sum, { length }) => sum + length, 0);

/** The same fragment, so much later on the media's line of time. */
const moved = (fragment: TimedFragment, seconds: number): TimedFragment => ({
  ...fragment,
  startUs: fragment.startUs + seconds * second,
  video: fragment.video.map((sample) => ({ ...sample, decodeTime: sample.decodeTime + seconds * 90_000 })),
});

async function startRecorder(options: Partial<RecorderOptions> = {}) {
  const recordingsDir = options.recordingsDir ?? join(await temporaryFolder(), 'recordings');
  const entries: LogEntry[] = [];
  const reports: (string | null)[] = [];
  const facts: RecordingReport[] = [];
  const troubles: (string | null)[] = [];
  const recorder = new Recorder({
    recordingsDir,
    monitorID: 'door',
    alwaysRecord: false,
    videoLength: 3600_000,
    log: new Logger((entry) => entries.push(entry)).source('recorder'),
    onReport: (report) => facts.push(report),
    onRecording: (file) => reports.push(file),
    onTrouble: (text) => troubles.push(text),
    ...options,
  });
  const messages = () => entries.map(({ level, msg }) => `${level}: ${msg}`);
  return { recorder, recordingsDir, reports, facts, troubles, messages };
}

/** Every file below a folder, sorted. */
async function files(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

describe('a recorder', () => {
  test('that always records writes everything, to where the time and the monitor say', async () => {
    const { recorder, recordingsDir, reports, messages } = await startRecorder({ alwaysRecord: true });
    for (const fragment of timed()) recorder.push(fragment);
    await recorder.close();

    const id = '2026-11-23_03-40-12_door';
    const path = join(recordingsDir, '2026/11/23/door', `${id}.mp4`);
    expect(await files(recordingsDir)).toEqual([path]);
    const { errors, codec, packets } = await probe(path);
    expect({ errors, codec, count: packets.length }).toEqual({ errors: '', codec: 'h264', count: 400 });
    expect(await decode(path)).toEqual({ frames: 400, errors: '' });
    expect(reports).toEqual([id, null]);
    expect(messages()).toEqual([`info: starting recording: ${id}`, `info: recording saved: ${id}`]);
  });

  test('cuts at key frames, with no picture lost and none twice', async () => {
    const { recorder, recordingsDir, reports } = await startRecorder({
      alwaysRecord: true,
      videoLength: 9000,
    });
    for (const fragment of timed()) recorder.push(fragment);
    await recorder.close();

    const paths = await files(recordingsDir);
    // 9 s end at the next key frame, which comes every 2 s.
    const counts = [100, 100, 100, 100];
    expect(paths).toHaveLength(counts.length);
    const originals = video.flatMap((fragment) => fragment.video.map(({ data }) => data));
    for (const [index, path] of paths.entries()) {
      const { errors, packets } = await probe(path);
      expect(errors).toBe('');
      expect(packets).toHaveLength(counts[index] ?? 0);
      expect(packets[0]).toEqual({ time: 0, key: true });
      expect(packets.at(-1)?.time).toBeCloseTo(9.9, 3);
    }
    const written = Buffer.concat(await Promise.all(paths.map((path) => readFile(path))));
    let from = 0;
    for (const piece of originals) {
      const at = written.indexOf(piece, from);
      expect(at).toBeGreaterThanOrEqual(from);
      from = at + piece.length;
    }
    // One recording follows the other: it never says that there is none.
    expect(reports.slice(0, -1)).not.toContain(null);
    expect(reports.at(-1)).toBe(null);
  });

  test('begins at a key frame at least 5 s before an event that is told of 2 s late', async () => {
    const { recorder, recordingsDir } = await startRecorder();
    const now = nowUs();
    const fragments = timed(now - 30 * second);
    const event = now - 2 * second;
    // What is not older than a second is still being muxed.
    for (const fragment of fragments)
      if (fragment.time + fragment.lengthUs <= now - second) recorder.push(fragment);
    recorder.recordUntil(event + 20 * second);
    await recorder.close();

    const [path = ''] = await files(recordingsDir);
    const { errors, packets } = await probe(path);
    const end = now - second;
    expect(errors).toBe('');
    expect(packets[0]?.key).toBe(true);
    const length = (packets.length / 10) * second;
    expect(end - length).toBeLessThanOrEqual(event - 5 * second);
    // Not more than that needs: a group of pictures, and a margin.
    expect(length).toBeLessThanOrEqual(11 * second);
  });

  test('goes on until the latest of all times it was told, to the next key frame', async () => {
    const { recorder, recordingsDir, reports } = await startRecorder();
    const from = nowUs() + 3600 * second;
    const fragments = timed(from);
    recorder.recordUntil(from + 5 * second);
    for (const fragment of fragments) {
      if (fragment.time === from + 4 * second) recorder.recordUntil(from + 11 * second);
      if (fragment.time === from + 6 * second) recorder.recordUntil(from + 3 * second);
      recorder.push(fragment);
    }
    await recorder.close();
    const [path = '', ...others] = await files(recordingsDir);
    expect(others).toEqual([]);
    expect((await probe(path)).packets).toHaveLength(120);
    expect(reports).toHaveLength(2);
  });

  test('goes on for no more than a day when the clock is put back', async () => {
    const { recorder, recordingsDir } = await startRecorder();
    const from = nowUs();
    const day = 86_400 * second;
    recorder.recordUntil(from + 5 * second);
    vi.useFakeTimers({ toFake: ['Date'], now: (from - 30 * day) / 1000 });
    atEnd(async () => void vi.useRealTimers());
    for (const fragment of timed(from - 30 * day)) recorder.push(fragment);
    for (const fragment of timed(from - 29 * day)) {
      recorder.push(moved(fragment, 40));
    }
    await recorder.close();
    const [path = ''] = await files(recordingsDir);
    expect((await probe(path)).packets).toHaveLength(400);
  });

  test('does not begin for a time that has passed', async () => {
    const { recorder, reports } = await startRecorder();
    for (const fragment of timed(nowUs() - 60 * second)) recorder.push(fragment);
    recorder.recordUntil(nowUs() - 1);
    await recorder.close();
    expect(reports).toEqual([]);
  });

  test('never records the same twice, and loses nothing between two recordings that follow each other', async () => {
    const { recorder, recordingsDir } = await startRecorder();
    const from = nowUs() + 3600 * second;
    recorder.recordUntil(from + 5 * second);
    for (const fragment of timed(from)) {
      // The first one ends at 6 s; the pre-roll of the second would reach back into it.
      if (fragment.time === from + 9 * second) recorder.recordUntil(from + 20 * second);
      recorder.push(fragment);
    }
    await recorder.close();
    const counts = await Promise.all(
      (await files(recordingsDir)).map(async (path) => (await probe(path)).packets.length),
    );
    expect(counts).toEqual([60, 140]);
  });

  test('records from the next key frame on what is wanted after a group became too large to be held', async () => {
    const { recorder, recordingsDir, troubles, messages } = await startRecorder();
    // 16 Mbit/s, and 90 s from one key frame to the next.
    const from = nowUs() - 3600 * second;
    const fragments = Array.from({ length: 5 }, (_, round) =>
      timed(from + round * 40 * second).map((fragment) => moved(fragment, round * 40)),
    )
      .flat()
      .map((fragment, index) => ({ ...fragment, keyFrame: index % 90 === 0, bytes: 2_000_000 }));
    vi.useFakeTimers({ toFake: ['Date'] });
    atEnd(async () => void vi.useRealTimers());
    for (const [index, fragment] of fragments.entries()) {
      vi.setSystemTime((fragment.time + fragment.lengthUs) / 1000);
      // Three events while nothing is held that could be decoded.
      if ([40, 41, 60].includes(index)) recorder.recordUntil(fragment.time + 10 * second);
      recorder.push(fragment);
      await waitFor(() => recorder.bytes <= 48 * 1024 * 1024, 5000, 'the write');
    }
    await recorder.close();
    const [path = '', ...others] = await files(recordingsDir);
    expect(others).toEqual([]);
    expect((await probe(path)).packets).toHaveLength(900);
    const why = 'cannot record: the last key frame is too long ago, recording begins with the next one';
    expect(messages()).toEqual([
      `warning: ${why}`,
      expect.stringMatching(/^info: starting recording: /),
      'warning: recording again, 50.0 s were lost',
      expect.stringMatching(/^info: recording saved: /),
    ]);
    expect(troubles).toEqual([why, null]);
  });

  test('gives two recordings of one second different names, and never replaces one', async () => {
    const recordingsDir = join(await temporaryFolder(), 'recordings');
    for (const count of [1, 2, 3]) {
      const { recorder } = await startRecorder({ recordingsDir, alwaysRecord: true });
      for (const fragment of timed().slice(0, count * 2)) recorder.push(fragment);
      await recorder.close();
    }
    const paths = await files(recordingsDir);
    expect(paths.map((path) => path.slice(-23))).toEqual([
      '11-23_03-40-12_door.mp4',
      '11-23_03-40-13_door.mp4',
      '11-23_03-40-14_door.mp4',
    ]);
    const counts = await Promise.all(paths.map(async (path) => (await probe(path)).packets.length));
    expect(counts).toEqual([20, 40, 60]);
  });

  test('leaves the unfinished file of another process alone while that lives', async () => {
    const { recorder, recordingsDir } = await startRecorder({ alwaysRecord: true });
    await mkdir(recordingsDir, { recursive: true });
    const { pid = 0 } = spawnSync('true');
    const parts = [`.door.${process.ppid}.part`, `.gate.${pid}.part`, `.door.${pid}.part`];
    for (const part of parts) await writeFile(join(recordingsDir, part), part);
    for (const fragment of timed().slice(0, 2)) recorder.push(fragment);
    await recorder.close();
    const left = (await files(recordingsDir)).filter((path) => path.endsWith('.part'));
    expect(left).toEqual(
      parts
        .slice(0, 2)
        .map((part) => join(recordingsDir, part))
        .sort(),
    );
    for (const path of left) expect(path).toContain(await readFile(path, 'utf8'));
  });

  test('leaves a file that plays at whatever byte its writing ended', async () => {
    const { recorder, recordingsDir } = await startRecorder({ alwaysRecord: true });
    for (const fragment of timed().slice(0, 6)) recorder.push(fragment);
    await recorder.close();
    const [path = ''] = await files(recordingsDir);
    const whole = await readFile(path);
    const head = video[0]?.layout.init.length ?? 0;
    const lengths = video.slice(0, 6).map((fragment) => bytesOf(fragment));
    const cutFile = join(recordingsDir, 'cut.mp4');
    for (let index = 0; index < 8; index += 1) {
      const first = head + (lengths[0] ?? 0);
      const length = Math.floor(first + ((whole.length - first) * index) / 8);
      await writeFile(cutFile, whole.subarray(0, length));
      let [complete, end] = [0, head];
      for (const each of lengths) {
        end += each;
        if (end <= length) complete += 1;
      }
      expect((await decode(cutFile)).frames).toBeGreaterThanOrEqual(complete * 10);
    }
  });

  test('begins each file at 0 however long the camera has been streaming', async () => {
    const { recorder, recordingsDir } = await startRecorder({ alwaysRecord: true, videoLength: 19_000 });
    // Thirteen hours and more.
    for (const fragment of timed()) recorder.push(moved(fragment, 50_000));
    await recorder.close();
    for (const path of await files(recordingsDir)) {
      const { errors, packets } = await probe(path);
      expect({ errors, count: packets.length, first: packets[0]?.time }).toEqual({
        errors: '',
        count: 200,
        first: 0,
      });
      expect(packets.at(-1)?.time).toBeCloseTo(19.9, 3);
      expect(await decode(path)).toEqual({ frames: 200, errors: '' });
    }
  });

  test('shows a file only once it can be played', async () => {
    const { recorder, recordingsDir, reports } = await startRecorder({ alwaysRecord: true });
    const [first, second_, ...others] = timed();
    if (!first || !second_) throw new Error('too few fragments');
    recorder.push(first);
    await waitFor(() => reports[0], 5000, 'the recording');
    const [path = ''] = await files(recordingsDir);
    expect((await probe(path)).packets).toHaveLength(10);
    recorder.push(second_);
    await waitFor(async () => (await probe(path)).packets.length === 20, 5000, 'the second fragment');
    for (const fragment of others) recorder.push(fragment);
    await recorder.close();
    expect((await probe(path)).packets).toHaveLength(400);
  });
});

describe('what a recorder reports of its recordings', () => {
  test('is their first fragment, that they grow, and their end', async () => {
    const { recorder, recordingsDir, facts } = await startRecorder({
      alwaysRecord: true,
      videoLength: 19_000,
    });
    vi.useFakeTimers({ toFake: ['performance'] });
    atEnd(async () => void vi.useRealTimers());
    const sizes: number[] = [];
    for (const fragment of timed()) {
      recorder.push(fragment);
      sizes.push(bytesOf(fragment));
      vi.advanceTimersByTime(1000);
      await waitFor(() => recorder.bytes === 0, 5000, 'the write');
    }
    await recorder.close();
    const ids = ['2026-11-23_03-40-12_door', '2026-11-23_03-40-32_door'];
    const states = ['started', 'growing', 'growing', 'growing', 'saved'];
    expect(facts.map(({ id, state }) => [id, state])).toEqual(
      ids.flatMap((id) => states.map((state) => [id, state])),
    );
    const [first] = facts;
    expect(first).toEqual({
      ...{ id: ids[0], monitorID: 'door', state: 'started', start: began, end: began + second },
      bytes: (video[0]?.layout.init.length ?? 0) + (sizes[0] ?? 0),
      streams: [{ codec: 'h264', width: 320, height: 240 }],
      reason: '',
    });
    expect(facts.map(({ end }) => (end - began) / second)).toEqual([1, 6, 11, 16, 20, 21, 26, 31, 36, 40]);
    const saved = facts.filter(({ state }) => state === 'saved');
    const paths = await files(recordingsDir);
    expect(saved.map(({ bytes }) => bytes)).toEqual(
      await Promise.all(paths.map(async (path) => (await stat(path)).size)),
    );
  });

  test('is, for one that the disk cut short, what is on disk and why', async () => {
    const { recorder, recordingsDir, facts } = await startRecorder({ alwaysRecord: true });
    const [first, second_, ...others] = timed().slice(0, 8);
    if (!first || !second_) throw new Error('too few fragments');
    recorder.push(first);
    await waitFor(() => facts[0], 5000, 'the first report');
    // A process may write no file beyond some size: the second fragment still fits.
    const [path = ''] = await files(recordingsDir);
    const limit = (await stat(path)).size + bytesOf(second_);
    process.once('SIGXFSZ', () => {});
    await limitFileSize(`${limit + 100}`);
    atEnd(() => limitFileSize('unlimited'));
    for (const fragment of [second_, ...others.slice(0, 1)]) recorder.push(fragment);
    await waitFor(() => recorder.bytes === 0, 5000, 'the writes');
    await limitFileSize('unlimited');
    for (const fragment of others.slice(1)) recorder.push(fragment);
    await recorder.close();
    expect(
      facts.map(({ state, end, bytes, reason }) => [state, (end - began) / second, bytes, reason]),
    ).toEqual([
      ['started', 1, limit - bytesOf(second_), ''],
      ['lost', 2, limit, 'the disk took only a part of a fragment'],
      ['started', 5, expect.any(Number), ''],
      ['saved', 8, expect.any(Number), ''],
    ]);
    expect(limit).toBe((await stat(path)).size);
  });
});

/** Of this very process. */
async function limitFileSize(bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:unlimited`]);
}

describe('a recorder whose disk fails', () => {
  test('says so once, tries again at each key frame, and says what was lost', async () => {
    const { recorder, recordingsDir, reports, troubles, messages } = await startRecorder({
      alwaysRecord: true,
    });
    // A disk without space.
    await mkdir(recordingsDir, { recursive: true });
    const part = join(recordingsDir, `.door.${process.pid}.part`);
    for (const [index, fragment] of timed().entries()) {
      if (index < 10) {
        await rm(part, { force: true });
        await symlink('/dev/full', part);
      } else if (index === 10) {
        await rm(part, { force: true });
      }
      recorder.push(fragment);
      // One fragment after the other, as they come from a camera.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await recorder.close();
    expect(messages()).toEqual([
      'error: cannot record: no space left on the disk',
      'info: starting recording: 2026-11-23_03-40-22_door',
      'warning: recording again, 10.0 s were lost',
      'info: recording saved: 2026-11-23_03-40-22_door',
    ]);
    expect(reports).toEqual(['2026-11-23_03-40-22_door', null]);
    expect(troubles).toEqual(['cannot record: no space left on the disk', null]);
    const [path = ''] = await files(recordingsDir);
    expect((await probe(path)).packets).toHaveLength(300);
  });

  test('leaves what was written before, and goes on in another file', async () => {
    const { recorder, recordingsDir, reports, messages } = await startRecorder({
      alwaysRecord: true,
      videoLength: 4000,
    });
    const fragments = timed();
    for (const fragment of fragments.slice(0, 4)) recorder.push(fragment);
    await waitFor(() => reports[0], 5000, 'the first recording');
    // The folder of the day becomes a file while the next recording is due.
    const day = join(recordingsDir, '2026/11/23');
    const aside = join(recordingsDir, 'aside');
    await promisify(execFile)('mv', [day, aside]);
    await writeFile(day, '');
    for (const fragment of fragments.slice(4, 8)) recorder.push(fragment);
    await waitFor(() => messages().some((message) => message.startsWith('error')), 5000, 'an error');
    await rm(day);
    for (const fragment of fragments.slice(8)) recorder.push(fragment);
    await recorder.close();
    expect(messages().filter((message) => message.startsWith('error'))).toHaveLength(1);
    expect((await probe((await files(aside))[0] ?? '')).packets).toHaveLength(40);
    const later = (await files(day)).map(async (path) => (await probe(path)).packets.length);
    expect((await Promise.all(later)).reduce((sum, count) => sum + count, 0)).toBe(320);
  });

  test('leaves whole fragments when the disk is full in the middle of one', async () => {
    const folder = await temporaryFolder();
    const stored = join(folder, 'fragments');
    const fragments = timed().slice(0, 10);
    await writeFile(stored, serialize(fragments));
    // A process that may write no file beyond some size, in the middle of the sixth fragment.
    const head = fragments[0]?.layout.init.length ?? 0;
    const whole = fragments.slice(0, 5).reduce((sum, fragment) => sum + bytesOf(fragment), head);
    const script = `
      import { readFileSync } from 'node:fs';
      import { deserialize } from 'node:v8';
      import { RecordingFile } from '${project}/dist/pipelines/recording/recording-file.js';
      process.on('SIGXFSZ', () => {});
      const fragments = deserialize(readFileSync('${stored}'));
      const place = { recordingsDir: '${folder}/recordings', monitorID: 'door' };
      const file = await RecordingFile.create(place, [fragments[0]]);
      try {
        for (const fragment of fragments.slice(1)) await file.append([fragment]);
      } catch (error) {
        console.log(error.message);
      }
      await file.close();`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const limited = await promisify(execFile)('prlimit', [`--fsize=${whole + 1000}`, ...node]);
    expect(limited.stdout).toBe('the disk took only a part of a fragment\n');
    const [path = ''] = await files(join(folder, 'recordings'));
    expect(await decode(path)).toEqual({ frames: 50, errors: '' });
    expect((await readFile(path)).length).toBe(whole);
  });

  test('holds a bounded amount while it is too slow, and records again when it is not', async () => {
    const { recorder, recordingsDir, messages } = await startRecorder({ alwaysRecord: true });
    await mkdir(recordingsDir, { recursive: true });
    // Opening a pipe takes until somebody reads from it.
    const part = join(recordingsDir, `.door.${process.pid}.part`);
    await promisify(execFile)('mkfifo', [part]);
    const filler = Buffer.alloc(1024 * 1024);
    for (let round = 0; round < 10; round += 1) {
      for (const fragment of timed(began + round * 40 * second)) {
        const later = moved(fragment, round * 40);
        const [first, ...others] = later.video;
        if (!first) throw new Error('an empty fragment');
        // Padding at the end of a picture is left out when it is decoded.
        const large = { ...first, data: Buffer.concat([first.data, filler]) };
        recorder.push({ ...later, video: [large, ...others], bytes: fragment.bytes + filler.length });
        expect(recorder.bytes).toBeLessThanOrEqual(115 * 1024 * 1024);
      }
    }
    expect(messages()).toEqual(['error: cannot record: the disk is too slow']);
    await promisify(execFile)('dd', [`if=${part}`, 'of=/dev/null', 'status=none']);
    // What was waiting is lost with the pipe, which is no disk; the pre-roll is not.
    await waitFor(() => recorder.bytes < 64 * 1024 * 1024, 10_000, 'the queue');
    for (const fragment of timed(began + 400 * second)) {
      recorder.push(moved(fragment, 400));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await recorder.close();
    expect(messages().filter((message) => message.startsWith('error'))).toHaveLength(1);
    expect(messages().some((message) => /^warning: recording again, \d+\.0 s were lost$/.test(message))).toBe(
      true,
    );
    const paths = (await files(recordingsDir)).filter((path) => !path.endsWith('.part'));
    expect((await probe(paths.at(-1) ?? '')).packets.length).toBeGreaterThanOrEqual(400);
  });
});
