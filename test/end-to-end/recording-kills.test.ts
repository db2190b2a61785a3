import { expect, test } from 'vitest';
import type { Recorder } from '../support/recorder.ts';
import { killRecorder, readNumberedArchive, startNumberedRecorder } from '../support/recording-kills.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

// Three hundred kills, with the age of what is missing, a browser and the catalogue: `npm run bench -- recording-kills`.
test('pipelines and main killed at random moments leave files that play, with no picture twice or missing between others', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const numbered = await startNumberedRecorder();
  const known = new Set<string>();
  /** Something was recorded since the last kill, of both cameras before the first one, however long that takes here. */
  const isRecorded = async () => {
    const files = (await recordingsIn(numbered.recorder.recordings)).filter((file) => !known.has(file));
    if (files.length < (known.size === 0 ? 2 : 1)) return false;
    for (const file of files) known.add(file);
    return true;
  };
  let recorder: Recorder = numbered.recorder;
  for (const main of [0, 1, 0]) {
    await waitFor(isRecorded, 60_000, 'a recording');
    ({ recorder } = await killRecorder(recorder, { count: 1, main, pauseMs: 300, seed }));
  }
  await recorder.stop();
  const { faults, files } = await readNumberedArchive(numbered);
  expect(faults, `seed ${seed}`).toEqual([]);
  expect(files).toBeGreaterThanOrEqual(known.size);
});
