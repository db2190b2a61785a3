import { link, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { formatRecordingID } from '../../bus/recording-id.ts';
import type { StoredRecording } from '../../store/log/projection/rows.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';
import { fileBytes } from '../support/recorded.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/** How soon the recorder serves with a large archive, beside an empty one, and what it costs to make its catalogue anew. */

const [days, monitors, perDay] = [30, 16, 417];
const dayMs = 24 * 60 * 60 * 1000;
/** Names that one file may have on common file systems. */
const maxLinks = 30_000;

/** Each recording is a name of a file of one second. @returns what the catalogue knows of them. */
async function fill(recordingsDir: string): Promise<StoredRecording[]> {
  await makeVideo();
  const data = fileBytes(video.slice(0, 1));
  const [old, now] = [Date.now() / 1000 - 3600, Date.now()];
  const rows: StoredRecording[] = [];
  let model = '';
  for (let day = days; day >= 1; day -= 1) {
    for (let index = 0; index < perDay; index += 1) {
      for (let monitor = 0; monitor < monitors; monitor += 1) {
        const startMs = now - day * dayMs + index * Math.floor(dayMs / perDay);
        const monitorID = `camera${monitor}`;
        const id = formatRecordingID({ startMs, monitorID, stream: 'main' });
        const folder = join(recordingsDir, ...id.slice(0, 10).split('-'), monitorID);
        await mkdir(folder, { recursive: true });
        const path = join(folder, `${id}.mp4`);
        if (rows.length % maxLinks === 0) {
          model = path;
          await writeFile(model, data);
          await utimes(model, old, old);
        } else await link(model, path);
        const [time, endTime] = [startMs * 1000, startMs * 1000 + 1e6];
        const facts = {
          id,
          monitorID,
          state: 'saved',
          time,
          endTime,
          bytes: data.length,
          reason: '',
        } as const;
        rows.push({ ...facts, streams: [], reportedAt: endTime });
      }
    }
  }
  return rows;
}

/** Starts it again, and asks it for recordings until it answers. */
async function measureStart(name: string, stopped: Recorder) {
  const began = performance.now();
  const recorder = await stopped.restart();
  const served = performance.now() - began;
  const answer = await recorder.fetch('/api/recording/query?limit=100');
  const listed = ((await answer.json()) as unknown[]).length;
  const answered = performance.now() - began;
  console.log(
    `  ${name}: serving after ${served.toFixed(0)} ms, a page of ${listed} recordings after ${answered.toFixed(0)} ms`,
  );
  return { recorder, served };
}

/** How far the catalogue is; null when it is complete. */
const stateOf = async (recorder: Recorder) =>
  (await recorder.fetch('/api/recording/query?limit=1')).headers.get('x-catalogue-incomplete');

/** The longest that main kept a request waiting until a condition held. */
async function longestWait(recorder: Recorder, until: () => Promise<boolean>): Promise<number> {
  let [isOver, longest] = [false, 0];
  const ended = (async () => {
    while (!(await until())) await sleep(500);
    isOver = true;
  })();
  while (!isOver) {
    const asked = performance.now();
    await recorder.fetch('/api/health');
    longest = Math.max(longest, performance.now() - asked);
    await sleep(5);
  }
  await ended;
  return longest;
}

test(`a start with ${days * monitors * perDay} recordings`, async () => {
  const first = await startRecorder();
  await first.stop();
  const empty = await measureStart('an empty storage', first);
  await empty.recorder.stop();

  const rows = await fill(first.recordings);
  const file = join(first.folder, 'storage', 'sentrybus.duckdb');
  const { database } = await LogDatabase.open(file);
  const position = await database.positions.read('RECORDINGS');
  for (let at = 0; at < rows.length; at += 10_000) {
    await database.recordings.append(rows.slice(at, at + 10_000), position);
  }
  await database.close();
  const full = await measureStart(`${rows.length} recordings`, first);
  const isComplete = async (recorder: Recorder) => (await stateOf(recorder)) === null;
  const checked = await longestWait(full.recorder, () => isComplete(full.recorder));
  console.log(`  during its first check no request waited longer than ${checked.toFixed(0)} ms`);
  await full.recorder.stop();

  for (const each of [file, `${file}.wal`]) await rm(each, { force: true });
  await rm(join(first.folder, 'storage', 'bus'), { recursive: true });
  const lost = await measureStart('the same without a catalogue', first);
  const begun = performance.now();
  let compared = Number.NaN;
  const waited = await longestWait(lost.recorder, async () => {
    const state = await stateOf(lost.recorder);
    if (state !== 'checking' && Number.isNaN(compared)) compared = performance.now() - begun;
    return state === null;
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(
    `  the folder was compared after ${(compared / 1000).toFixed(1)} s, the catalogue made again after ${seconds} s; no request waited longer than ${waited.toFixed(0)} ms`,
  );
  await lost.recorder.stop();
  expect(full.served).toBeLessThan(Math.max(2000, 2 * empty.served));
});
