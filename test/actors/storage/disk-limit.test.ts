import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { enforceDiskLimit } from '../../../actors/storage/disk-limit.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import { formatRecordingID } from '../../../bus/recording-id.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { RecordingFiles } from '../../../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../../../store/recordings/files/recording-marks.ts';
import { atEnd } from '../../support/cleanup.ts';
import { leaveFree, smallDisk } from '../../support/disk.ts';
import { pathOf } from '../../support/footage.ts';
import { recordingsIn } from '../../support/recordings.ts';
import { hourMs } from '../../support/retention.ts';

test('on a full disk the oldest recordings are deleted also while the catalogue cannot be asked', async ({
  skip,
}) => {
  // 5 MB have to stay free.
  const storageDir = await smallDisk(100);
  if (storageDir === undefined) return skip('no disk can be mounted here');
  const recordingsDir = join(storageDir, 'recordings');
  const ids: string[] = [];
  for (let hour = 0; hour < 6; hour += 1) {
    const startMs = Date.now() - (24 - hour) * hourMs;
    const id = formatRecordingID({ startMs, monitorID: 'door', stream: 'main' });
    const path = pathOf(recordingsDir, id);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.alloc(1e6));
    await utimes(path, startMs / 1000, startMs / 1000);
    ids.push(id);
  }
  await leaveFree(join(storageDir, 'others'), 2.2);

  const refuse = async () => {
    throw new StoreError('io', 'the log database is being started again');
  };
  const files = new RecordingFiles(recordingsDir);
  const [messages, removed, checked]: [string[], string[], unknown[]] = [[], [], []];
  const log = new Logger(({ msg }) => messages.push(msg)).source('recorder');
  const limit = enforceDiskLimit(
    {
      ...{ storageDir, logFile: join(storageDir, 'log.duckdb'), files, marks: new RecordingMarks(files) },
      limits: { maxBytes: 1e12, minFreeBytes: 1e9 },
      catalogue: { usage: refuse, recordings: refuse },
      rulesOf: () => ({ minMs: hourMs, eventMs: new Map() }),
      monitorIDs: () => [],
      onRemoved: (id) => removed.push(id),
      onMissing: (id) => removed.push(id),
      // It asks the catalogue as well.
      removeRest: refuse,
      onChecked: (contents) => checked.push(contents),
    },
    log,
  );
  atEnd(() => limit.end());
  limit.begin();
  await expect
    .poll(() => messages, { timeout: 10_000 })
    .toEqual([
      'recordings cannot be listed: the log database is being started again',
      expect.stringMatching(/^the disk is full, the oldest recordings are deleted: /),
      'the disk is full: deleted the oldest ones, 3 MB',
    ]);
  expect(removed).toEqual(ids.slice(0, 3));
  expect((await recordingsIn(recordingsDir)).map((path) => basename(path, '.mp4'))).toEqual(ids.slice(3));
  // What is found without the catalogue is not missing in it.
  expect(checked).toEqual([]);
});
