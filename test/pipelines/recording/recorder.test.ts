import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  bytesOf,
  files,
  makeVideo,
  moved,
  second,
  startRecorder,
  timed,
  video,
} from '../../support/pipeline-recorder.ts';
import { decode, probe } from '../../support/probe.ts';
import { waitFor } from '../../support/wait.ts';

beforeAll(makeVideo);

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

  test('of the sub stream writes files of its own beside those of the main stream', async () => {
    const { recorder, recordingsDir, facts } = await startRecorder({ alwaysRecord: true });
    const sub = await startRecorder({ alwaysRecord: true, recordingsDir, stream: 'sub' });
    for (const fragment of timed().slice(0, 4)) {
      recorder.push(fragment);
      sub.recorder.push(fragment);
    }
    await Promise.all([recorder.close(), sub.recorder.close()]);
    const ids = ['2026-11-23_03-40-12_door', '2026-11-23_03-40-12_door_sub'];
    const paths = await files(recordingsDir);
    expect(paths).toEqual(ids.map((id) => join(recordingsDir, '2026/11/23/door', `${id}.mp4`)));
    for (const path of paths) expect(await decode(path)).toEqual({ frames: 40, errors: '' });
    expect([facts.at(-1)?.id, sub.facts.at(-1)?.id]).toEqual(ids);
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

  test.each([2, 8])(
    'begins at a key frame at least 5 s before an event that is reported %i s late',
    async (late) => {
      const { recorder, recordingsDir } = await startRecorder({ eventsLateMs: late * 1000 });
      const now = nowUs();
      const fragments = timed(now - 30 * second);
      const event = now - late * second;
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
      expect(length).toBeLessThanOrEqual((9 + late) * second);
    },
  );

  test('goes on until the latest of all requested times, to the next key frame', async () => {
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
    const parts = [`.door_sub.${process.ppid}.part`, `.gate_main.${pid}.part`, `.door_sub.${pid}.part`];
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
