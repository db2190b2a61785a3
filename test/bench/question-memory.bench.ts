import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { mainAllocator } from '../../bus/children/host-process.ts';
import { formatRecordingID } from '../../bus/recording-id.ts';
import type { StoredRecording } from '../../store/log/projection/rows.ts';
import { LogDatabase } from '../../store/log/worker/log-database.ts';
import { startChild } from '../support/child.ts';
import { temporaryFolder } from '../support/folder.ts';
import { project } from '../support/project.ts';

/** What questions leave in the memory of the process that answers them, beside one in which DuckDB is left to itself. */

const questions = Number(process.env['QUESTIONS'] ?? 4000);

test('what questions leave in memory', { timeout: 20 * 60_000 }, async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'log.duckdb');
  const { database } = await LogDatabase.open(file);
  const startUs = Date.parse('2026-11-20T00:00:00Z') * 1000;
  const position = { identity: 's', sequence: 1, time: startUs, readAt: 0 };
  await database.recordings.append(
    Array.from({ length: 500 }, (_, n) => recorded(startUs + n * 120e6, n)),
    position,
  );
  await database.close();
  const grown = await Promise.all(
    ['yes', 'no'].map(async (isFreed) => {
      const copy = join(folder, `${isFreed}.duckdb`);
      await copyFile(file, copy);
      const script = join(project, 'test', 'bench', 'question-memory.mjs');
      const child = startChild('node', [script, copy, String(questions), isFreed], { env: mainAllocator });
      const [bytes = ''] = await child.line(/^-?\d+$/, 20 * 60_000);
      return Number(bytes) / 1e6;
    }),
  );
  const [freed = 0, left = 0] = grown;
  console.log(
    `${questions} questions, after the first 1000: ${freed.toFixed(1)} MB more; ${left.toFixed(1)} MB where DuckDB is left to itself (${(freed / left).toFixed(2)})`,
  );
});

/** Of eight monitors; the last ones grow, and the first one is deleted. */
function recorded(time: number, n: number): StoredRecording {
  const monitorID = `m${n % 8}`;
  const state = n === 0 ? 'deleted' : n < 492 ? 'saved' : 'growing';
  return {
    ...{ id: formatRecordingID({ startMs: time / 1000, monitorID, stream: 'main' }), monitorID, state },
    ...{ time, endTime: time + 120e6, bytes: 1e6, streams: [], reason: '', reportedAt: time },
  };
}
