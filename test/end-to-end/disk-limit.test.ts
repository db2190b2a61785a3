import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { testMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

test('the oldest recordings make room, and recording goes on', async () => {
  const recorder = await startRecorder({
    config: { max_disk_usage: 0.002 },
    monitors: [testMonitor('demo', { alwaysRecord: true })],
  });
  await recorder.stop();
  for (const day of ['01', '02', '03']) {
    const file = join(recorder.recordings, '2025', '01', day, 'gone', `2025-01-${day}_00-00-00_gone.mp4`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.alloc(900_000));
    await utimes(file, 1_735_689_600, 1_735_689_600);
  }
  const again = await recorder.restart();
  const recordings = await waitFor(
    async () => {
      const files = await recordingsIn(again.recordings);
      return (
        !files.some((file) => file.includes('2025-01-01')) &&
        files.some((file) => /_demo/.test(file)) &&
        files
      );
    },
    20_000,
    'room and a recording',
  );
  expect(recordings.filter((file) => file.endsWith('_gone.mp4'))).toHaveLength(2);
  const told = await waitFor(
    async () =>
      (await again.get<LogEntry[]>('/api/log/query?sources=recorder')).find(({ msg }) => /deleted/.test(msg)),
    5000,
    'the entry',
  );
  expect(told.msg).toBe('recordings took more than max_disk_usage: deleted the oldest ones, 1 MB');
});
