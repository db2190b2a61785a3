import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { formatRecordingID, type RecordedStream } from '../../../bus/recording-id.ts';
import { RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { checkArchive } from '../../../store/recordings/verification/archive-check.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { began, pathOf, second } from '../../support/footage.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { fileBytes } from '../../support/recorded.ts';

beforeAll(makeVideo);

/** Ten seconds, from so many on. @param saysTime recordings of older versions do not say theirs. */
async function add(recordingsDir: string, from: number, stream: RecordedStream = 'main', saysTime = true) {
  const fragments = video.slice(0, 10);
  const timeOf = ({ startUs }: { readonly startUs: number }) =>
    began + from * second + startUs - (video[0]?.startUs ?? 0);
  const id = formatRecordingID({ startMs: began / 1000 + from * 1000, monitorID: 'door', stream });
  const path = pathOf(recordingsDir, id);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, fileBytes(fragments, saysTime ? timeOf : undefined));
  return id;
}

test('recordings of one stream that claim the same time are found, each with the one before it', async () => {
  const recordingsDir = await temporaryFolder();
  const first = await add(recordingsDir, 0);
  // The next one begins where the first ends.
  await add(recordingsDir, 10);
  // Recorded before the clock was set back by 23 seconds.
  const ahead = await add(recordingsDir, 23);
  const [within, after] = [await add(recordingsDir, 26), await add(recordingsDir, 36)];
  await add(recordingsDir, 24, 'sub');
  await add(recordingsDir, 40, 'main', false);
  const found: { readonly id: string; readonly text: string }[] = [];
  const ask = async () => [];
  const files = new RecordingFiles(recordingsDir);
  for await (const { findings } of checkArchive({ recordingsDir, files, ask, isRunning: false }))
    found.push(...findings.map(({ id, text }) => ({ id, text })));
  const overlaps = found.filter(({ text }) => text.startsWith('overlaps'));
  expect(overlaps).toEqual([{ id: within, text: `overlaps ${ahead} by 7.0 s: the clock was set back` }]);
  expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([first, after]));
});
