import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { startCamera } from '../support/camera.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { picturesIn } from '../support/probe.ts';
import { isAlive } from '../support/processes.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { probe, recordingsIn } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

/** `hit`: how many recordings it interrupts. */
const kinds = {
  'nats-server': { pattern: /nats-server/, hit: 0 },
  'detector host': { pattern: /detectors\/host/, hit: 0 },
  'pipeline of one monitor': { pattern: /host\/pipeline-host.* one$/, hit: 1, perProcess: 1 },
  'pipelines of two monitors': { pattern: /host\/pipeline-host.* shared$/, hit: 2 },
} as const;

/** A recorder of two cameras, in the middle of recording both. */
async function recording(config: Record<string, unknown> = {}): Promise<Recorder> {
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const monitor = (id: string) => rtspMonitor(id, [camera.url('main')], { alwaysRecord: true, motion });
  const recorder = await startRecorder({ config, monitors: [monitor('one'), monitor('two')] });
  await isRecording(recorder, 1);
  return recorder;
}

/** Waits until both monitors have at least so many recordings, the last of each growing. */
async function isRecording(recorder: Recorder, files: number): Promise<void> {
  for (const id of ['one', 'two']) {
    await waitFor(
      async () => {
        const own = (await recordingsIn(recorder.recordings)).filter((file) => file.endsWith(`_${id}.mp4`));
        return own.length >= files && (await picturesIn(own.at(-1) ?? '')) > 10;
      },
      20_000,
      `recording ${files} of ${id}`,
    );
  }
}

async function allPlayable(recorder: Recorder): Promise<void> {
  for (const file of await recordingsIn(recorder.recordings)) {
    const { complaints, frames } = await probe(file);
    expect(`${file} ${complaints}`).toBe(`${file} `);
    expect(frames).toBeGreaterThan(0);
  }
}

const shownBy = (recorder: Recorder) => recorder.get<LogEntry[]>('/api/log/query?limit=10000');

async function expectKept(recorder: Recorder, shown: readonly LogEntry[]): Promise<void> {
  const now = new Map((await shownBy(recorder)).map((entry) => [entry.time, entry]));
  for (const entry of shown) expect(now.get(entry.time)).toEqual(entry);
}

for (const [victim, { pattern, hit, ...limits }] of Object.entries(kinds)) {
  test(`kill -9 of the ${victim} during recording: it is back, the others live, nothing is lost`, async () => {
    const recorder = await recording(
      'perProcess' in limits ? { monitors_per_process: limits.perProcess } : {},
    );
    const shown = await shownBy(recorder);
    expect(shown.length).toBeGreaterThan(3);
    // Not the guards, each of which goes with the pipeline that it is for.
    const all = recorder.children(/^\S*(nats-server|node) /);
    const [killed = 0] = recorder.children(pattern);
    expect(killed).toBeGreaterThan(0);
    process.kill(killed, 'SIGKILL');
    await waitFor(() => recorder.children(pattern).some((pid) => pid !== killed), 5000, `another ${victim}`);
    // A pipeline that comes back begins a recording of its own; nobody else interrupts his.
    await waitFor(
      async () => (await recordingsIn(recorder.recordings)).length === 2 + hit,
      10_000,
      'it records',
    );
    await isRecording(recorder, 1);
    expect((await recordingsIn(recorder.recordings)).length).toBe(2 + hit);
    expect(all.filter((pid) => pid !== killed && !isAlive(pid))).toEqual([]);
    expect(isAlive(recorder.pid)).toBe(true);
    await allPlayable(recorder);
    await expectKept(recorder, shown);
    // Whatever was said in the meantime arrives, too.
    await waitFor(
      async () => (await shownBy(recorder)).length > shown.length,
      10_000,
      'what was logged since',
    );
  });
}

test('kill -9 of the recorder itself: no orphan stays, the next one records within seconds, nothing is lost', async () => {
  const recorder = await recording();
  const shown = await shownBy(recorder);
  const children = recorder.children(/./);
  expect(children.length).toBeGreaterThanOrEqual(4);
  await recorder.kill();
  await waitFor(() => !children.some(isAlive), 8000, 'the end of every child');
  await allPlayable(recorder);
  const again = await recorder.restart();
  await isRecording(again, 2);
  await allPlayable(again);
  await expectKept(again, shown);
});

test('SIGTERM ends everything in order: no orphan, every recording whole', async () => {
  const recorder = await recording();
  const children = recorder.children(/./);
  expect(await recorder.stop()).toBe(0);
  expect(children.filter(isAlive)).toEqual([]);
  await allPlayable(recorder);
});
