import { mkdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import { leaveFree, smallDisk } from '../support/disk.ts';
import { testMonitor } from '../support/monitors.ts';
import { startRecorder } from '../support/recorder.ts';
import { recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

/** Three, of three days, of these bytes each. */
async function addOldRecordings(folder: string, bytes = 900_000): Promise<void> {
  for (const day of ['01', '02', '03']) {
    const file = join(folder, '2025', '01', day, 'gone', `2025-01-${day}_00-00-00_gone.mp4`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
    // Large files without content.
    await (bytes > 1e6 ? truncate(file, bytes) : writeFile(file, Buffer.alloc(bytes)));
    await utimes(file, 1_735_689_600, 1_735_689_600);
  }
}

test('the oldest recordings make room, and recording goes on', async () => {
  const recorder = await startRecorder({
    config: { max_disk_usage: 0.2 },
    monitors: [testMonitor('demo', { alwaysRecord: true })],
  });
  await recorder.stop();
  await addOldRecordings(recorder.recordings, 90e6);
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
      (await again.get<LogEntry[]>('/api/log/query?sources=recorder')).find(({ msg }) =>
        /deleted the/.test(msg),
      ),
    5000,
    'the entry',
  );
  expect(told.msg).toBe('recordings reached their limits: deleted the oldest ones, 90 MB');
});

test('a small disk keeps its recordings, and the log says who fills it', async ({ skip }) => {
  const disk = await smallDisk(300);
  if (disk === undefined) return skip('no disk can be mounted here');
  const recordings = join(disk, 'storage', 'recordings');
  await addOldRecordings(recordings);
  await leaveFree(join(disk, 'others'), 28);
  const recorder = await startRecorder({ config: { storage_dir: join(disk, 'storage') } });
  const warned = await waitFor(
    async () => (await recorder.get<LogEntry[]>('/api/log/query?sources=recorder&levels=warning'))[0],
    10_000,
    'the warning',
  );
  expect(warned.msg).toMatch(
    /^the disk is nearly full: 0\.02\d of 0\.300 GB are free, recordings take 0\.003 GB and may take 100\.0 GB \(max_disk_usage\), other files take 0\.2\d\d GB; /,
  );
  expect(await recorder.stop()).toBe(0);
  expect(await recordingsIn(recordings)).toHaveLength(3);

  await leaveFree(join(disk, 'others'), 14);
  const again = await recorder.restart();
  const told = await waitFor(
    async () => {
      const entries = await again.get<LogEntry[]>('/api/log/query?sources=recorder&levels=error');
      return entries.find(({ msg }) => msg.startsWith('the disk is full'));
    },
    10_000,
    'the entry',
  );
  expect(told.msg).toMatch(/other files take 0\.2\d\d of 0\.300 GB, recordings 0\.00\d GB/);
  const left = await recordingsIn(recordings);
  expect(left.some((file) => file.includes('2025-01-03'))).toBe(true);
  expect(left.some((file) => file.includes('2025-01-01'))).toBe(false);
});

test("a monitor's own days apply to its recordings, and a protected one stays", async () => {
  const monitor = testMonitor('gone', { enable: false, retention: { maxDays: 30 } });
  const recorder = await startRecorder({ monitors: [monitor] });
  await recorder.stop();
  await addOldRecordings(recorder.recordings);
  const mark = join(recorder.recordings, '2025', '01', '02', 'gone', '2025-01-02_00-00-00_gone.protected');
  await writeFile(mark, 'admin\n');
  const again = await recorder.restart();
  await waitFor(
    async () =>
      (await recordingsIn(again.recordings)).filter((file) => file.endsWith('_gone.mp4')).length === 1,
    10_000,
    'one recording',
  );
  expect((await recordingsIn(again.recordings)).some((file) => file.includes('2025-01-02'))).toBe(true);
  const { monitors, disk } = await again.get<StorageReport>('/api/storage');
  expect(monitors).toMatchObject([{ id: 'gone', recordings: 1, bytes: 900_000, protectedBytes: 900_000 }]);
  expect(disk.size).toBeGreaterThan(disk.free);
});
