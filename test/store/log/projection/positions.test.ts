import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StoredRecording } from '../../../../store/log/projection/rows.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { temporaryFolder } from '../../../support/folder.ts';

test('what is asked while something is stored fails neither of them', async () => {
  const { database } = await LogDatabase.open(join(await temporaryFolder(), 'log.duckdb'));
  atEnd(() => database.close());
  const { positions, writer, recordings, states, life } = database;
  const recording: Omit<StoredRecording, 'id' | 'time' | 'endTime'> = {
    monitorID: 'door',
    state: 'started',
    bytes: 1,
    streams: [],
    reason: '',
    reportedAt: 0,
  };
  for (let n = 1; n <= 100; n += 1) {
    const position = { identity: 's', sequence: n, time: n, readAt: n };
    const id = `2026-11-23_08-00-${String(n % 60).padStart(2, '0')}_door`;
    const entry = { time: n, level: 'info', src: 'app', monitorID: '', msg: `${n}` } as const;
    await Promise.all([
      writer.append([entry], position),
      recordings.append([{ ...recording, id, time: n, endTime: n }], position),
      ...[positions.read('LOGS'), recordings.isDue(), states.lastKills(1), life.lastRun(1)],
    ]);
  }
  expect(await positions.read('LOGS')).toMatchObject({ sequence: 100 });
});
