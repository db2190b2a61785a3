import { expect, test } from 'vitest';
import { testMonitor } from '../support/monitors.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

test('what monitors did when can be asked, also after the recorder was killed', async () => {
  const first = await startRecorder({ monitors: [testMonitor('one')] });
  await streaming(first, 1);
  await first.kill();
  const again = await first.restart();
  const states = await streaming(again, 2);
  expect(states.map(([state]) => state)).toEqual([
    'connecting',
    'streaming',
    'stopped',
    'connecting',
    'streaming',
  ]);
  // One follows the other without a gap, and the last one lasts.
  for (const [k, [, , end]] of states.entries()) expect(end).toBe(states[k + 1]?.[1] ?? null);
  expect(states[2]?.[3]).toBe('the recorder was not running');
});

type Row = readonly [state: string, start: number, end: number | null, reason: string];

/** Waits until the monitor has begun to stream so many times. */
async function streaming(recorder: Recorder, times: number): Promise<Row[]> {
  const sql = 'SELECT state, startTime, endTime, reason FROM states ORDER BY startTime';
  return waitFor(
    async () => {
      const { rows } = (await (await recorder.change('POST', '/api/log/sql', { sql })).json()) as {
        rows: Row[];
      };
      return rows.filter(([state]) => state === 'streaming').length === times && rows;
    },
    30_000,
    'a monitor that streams',
  );
}
