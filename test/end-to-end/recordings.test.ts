import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { rtspMonitor, testMonitor } from '../support/monitors.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { probe, recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

/** What is known of recordings agrees with their files, whatever ended them. */

const host = /host\/pipeline-host/;
/** Recordings that nobody ended are known as exactly as this. */
const growingUs = 5e6;
/** Wall-clock times move while the media clock learns how delayed a stream's data is. */
const clockUs = 1e6;

interface Row {
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
  readonly bytes: number;
  readonly reason: string;
}

async function rows(recorder: Recorder): Promise<Row[]> {
  const sql = `SELECT id, startTime, endTime, bytes, reason, videoCodec, width > 0 AND height > 0 FROM recordings
    ORDER BY startTime`;
  const answer = await recorder.change('POST', '/api/log/sql', { sql });
  const found = (
    (await answer.json()) as { rows: [string, number, number | null, number, string, string, boolean][] }
  ).rows;
  return found.map(([id, start, end, bytes, reason, codec, isSized]) => {
    expect([codec, isSized]).toEqual(['h264', true]);
    return { id, start, end, bytes, reason };
  });
}

const waitForRows = (recorder: Recorder, what: string, enough: (found: Row[]) => boolean) =>
  waitFor(
    async () => {
      const found = await rows(recorder);
      return enough(found) && found;
    },
    40_000,
    what,
  );

/** Microseconds from the first frame to the last one's end, and bytes, by the file itself. */
async function inFile(
  recorder: Recorder,
  { id }: Pick<Row, 'id'>,
): Promise<{ lengthUs: number; bytes: number }> {
  const files = await recordingsIn(recorder.recordings);
  const file = files.find((each) => basename(each) === `${id}.mp4`) ?? '';
  const { duration, frames } = await probe(file);
  const lengthUs = duration * 1e6 * (frames / (frames - 1));
  return { lengthUs, bytes: (await stat(file)).size };
}

async function expectExact(recorder: Recorder, row: Row): Promise<void> {
  const { lengthUs, bytes } = await inFile(recorder, row);
  expect(row.bytes).toBe(bytes);
  expect(Math.abs((row.end ?? 0) - row.start - lengthUs)).toBeLessThan(clockUs);
}

/** Of one that nobody ended: at most what the file holds, and nearly all of it. */
async function expectLastKnown(recorder: Recorder, row: Row): Promise<void> {
  const { lengthUs, bytes } = await inFile(recorder, row);
  const known = (row.end ?? 0) - row.start;
  expect(known).toBeLessThan(lengthUs + clockUs);
  expect(known).toBeGreaterThan(lengthUs - growingUs - 2e6);
  expect(row.bytes).toBeLessThanOrEqual(bytes);
}

test('recordings in a row are listed with their true ends and sizes, the one being written without an end', async () => {
  const recorder = await startRecorder({
    monitors: [testMonitor('demo', { alwaysRecord: true, videoLength: 0.1 })],
  });
  const found = await waitForRows(recorder, 'two recordings and a third', ({ length }) => length >= 3);
  const [first, second, third] = found;
  if (!first || !second || !third) throw new Error('too few recordings');
  await expectExact(recorder, first);
  await expectExact(recorder, second);
  expect(third.end).toBe(null);
  expect(Math.abs(second.start - (first.end ?? 0))).toBeLessThan(clockUs);
  await recorder.stop();
  const again = await recorder.restart();
  for (const row of (await rows(again)).slice(0, found.length)) await expectExact(again, row);
});

test('one whose host or recorder was killed is listed up to the last that was reported of it', async () => {
  const recorder = await startRecorder({
    monitors: [testMonitor('demo', { alwaysRecord: true, videoLength: 10 })],
  });
  const growing = (found: Row[], count: number) => {
    const last = found.at(-1);
    return found.length === count && last !== undefined && last.bytes > (sizes.get(last.id) ?? last.bytes);
  };
  /** As each was first seen. */
  const sizes = new Map<string, number>();
  const grows = (which: Recorder, count: number) =>
    waitForRows(which, `recording ${count} grows`, (found) => {
      const isGrowing = growing(found, count);
      for (const { id, bytes } of found) if (!sizes.has(id)) sizes.set(id, bytes);
      return isGrowing;
    });
  expect((await grows(recorder, 1)).map(({ end }) => end)).toEqual([null]);

  const [victim = 0] = recorder.children(host);
  process.kill(victim, 'SIGKILL');
  const afterHost = await grows(recorder, 2);
  expect(afterHost.map(({ end }) => end === null)).toEqual([false, true]);
  await expectLastKnown(recorder, afterHost[0] as Row);

  await recorder.kill();
  const again = await recorder.restart();
  const afterMain = await grows(again, 3);
  expect(afterMain.map(({ end }) => end === null)).toEqual([false, false, true]);
  expect(afterMain[0]).toEqual(afterHost[0]);
  // Its host outlives the recorder by the moment that it needs to finish, without a bus perhaps.
  await expectLastKnown(again, afterMain[1] as Row);
});

test('one that the disk cut short is listed as what is on disk, with the reason', async () => {
  const recorder = await startRecorder({
    monitors: [testMonitor('demo', { alwaysRecord: true, videoLength: 10 })],
  });
  const limit = (bytes: string) => {
    const [pid = 0] = recorder.children(host);
    execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`]);
  };
  const [begun] = await waitForRows(recorder, 'a recording', ({ length }) => length === 1);
  limit(`${(begun?.bytes ?? 0) + 200_000}`);
  const [lost] = await waitForRows(recorder, 'the loss', ([row]) => row !== undefined && row.reason !== '');
  limit('unlimited');
  if (!lost) throw new Error('nothing was lost');
  expect(lost.reason).toMatch(/^(the disk took only a part of a fragment|EFBIG: .*)$/);
  await expectExact(recorder, lost);
  const found = await waitForRows(recorder, 'the next recording', (all) => all.at(-1)?.reason === '');
  expect(found.at(-1)?.end).toBe(null);
});

test('a sub stream is recorded too if its monitor says so, in files and rows of its own', async () => {
  const camera = await startCamera({ mounts: { main: testMounts.h264(), sub: testMounts.h264(160, 90) } });
  const streams = [camera.url('main'), camera.url('sub')] as const;
  const recorder = await startRecorder({
    monitors: [rtspMonitor('door', streams, { alwaysRecord: true, videoLength: 10, recordSubStream: true })],
  });
  await waitForRows(
    recorder,
    'two recordings',
    (found) => found.every(({ bytes }) => bytes > 0) && found.length === 2,
  );
  // Both are still written: the one of the other stream does not end either.
  expect((await rows(recorder)).map(({ end }) => end)).toEqual([null, null]);
  await recorder.stop();
  const again = await recorder.restart();
  const ended = (await rows(again)).filter(({ end }) => end !== null);
  const streamsOf = new Set(ended.map(({ id }) => parseRecordingID(id)?.stream));
  expect([...streamsOf].sort()).toEqual(['main', 'sub']);
  for (const row of ended) await expectExact(again, row);
  const sql = 'SELECT stream, max(width) FROM recordings GROUP BY stream ORDER BY stream';
  const answer = await again.change('POST', '/api/log/sql', { sql });
  expect(((await answer.json()) as { rows: unknown }).rows).toEqual([
    ['main', 320],
    ['sub', 160],
  ]);
});
