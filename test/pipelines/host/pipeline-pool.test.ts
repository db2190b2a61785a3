import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { PipelinePool } from '../../../pipelines/host/pipeline-pool.ts';
import type { PipelineReport, PipelineSession } from '../../../pipelines/protocol/pipeline-protocol.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type NumberedCamera, startNumberedCamera } from '../../support/numbered-camera.ts';
import { expectWhole, nowhere, patience, rtsp } from '../../support/pipeline.ts';
import { picturesIn } from '../../support/probe.ts';
import { commandLine, descendants, isAlive, loadedLibraries } from '../../support/processes.ts';
import { recordingsIn } from '../../support/recordings.ts';
import { waitFor } from '../../support/wait.ts';

/** It sends for as long as somebody looks; the sessions of all tests are its clients. */
let camera: NumberedCamera;
beforeAll(async () => {
  camera = await startNumberedCamera({ index: 1, keyFrameEvery: 5 });
});

interface Running {
  readonly reports: readonly PipelineReport[];
  readonly recordingsDir: string;
  stop(): Promise<PipelineReport>;
  end(): Promise<PipelineReport>;
  /** Resolves when it begins a recording. */
  records(): Promise<void>;
}

async function startPool(monitorsPerProcess: number) {
  const entries: LogEntry[] = [];
  const log = new Logger((entry) => entries.push(entry)).source('recorder');
  const pool = new PipelinePool({ monitorsPerProcess, log });
  atEnd(() => pool.close());
  const folder = await temporaryFolder();
  const run = (monitorID: string, options: Partial<PipelineSession> = {}): Running => {
    const reports: PipelineReport[] = [];
    const stopping = new AbortController();
    const recordingsDir = join(folder, monitorID);
    const session: PipelineSession = {
      ...{ monitorID, source: rtsp(camera.url()), recordingsDir, alwaysRecord: true, videoLength: 3600_000 },
      ...{
        patienceMs: 10_000,
        maxPatienceMs: 60_000,
        recordSubStream: false,
        eventsLateMs: 2000,
        isSubDetected: false,
      },
      ...{ bus: nowhere, log: { repeatLimit: 5, printDebug: false } },
      ...options,
    };
    const ended = pool
      .run(session, { signal: stopping.signal, onReport: (report) => reports.push(report) })
      .then((end) => ({ type: 'ended' as const, ...end }));
    atEnd(async () => stopping.abort());
    const stop = () => {
      stopping.abort();
      return ended;
    };
    const records = async () => {
      await waitFor(() => reports.some(({ type }) => type === 'recording'), 20_000, 'a recording');
    };
    return { reports, recordingsDir, stop, end: () => ended, records };
  };
  const before = new Set(descendants(process.pid));
  const processes = () =>
    descendants(process.pid).filter(
      (pid) => !before.has(pid) && commandLine(pid).includes('host/pipeline-host.js'),
    );
  return { pool, folder, run, processes, entries };
}

const allRecord = (sessions: readonly Running[]) => Promise.all(sessions.map(({ records }) => records()));
/** Native code that works on what a camera sends. */
const isMedia = (library: string) => /^lib(gst|av)/.test(library);
const nothing = { type: 'ended', reason: 'stopped', detail: '' };

/** Waits until its recording has grown by some pictures. */
async function expectGrowing({ recordingsDir }: Running): Promise<void> {
  const pictures = async () => picturesIn((await recordingsIn(recordingsDir)).at(-1) ?? '');
  const before = await pictures();
  await waitFor(async () => (await pictures()) > before, 10_000, 'more pictures');
}

test('cameras share processes, and each ends alone', patience, async () => {
  const { pool, folder, run, processes } = await startPool(2);
  pool.prepare(3, folder);
  const shared = processes();
  expect(shared).toHaveLength(2);
  const [one, two, three] = [run('one'), run('two'), run('three')];
  expect(processes()).toEqual(shared);
  await allRecord([one, two, three]);

  expect(await one.stop()).toEqual(nothing);
  await expectGrowing(two);
  const again = run('one');
  await again.records();
  expect(processes()).toEqual(shared);
  expect([...two.reports, ...three.reports].filter(({ type }) => type === 'ended')).toEqual([]);

  // A file or a test picture is played by GStreamer, in native code.
  const file = run('test', { source: { kind: 'test' } });
  await file.records();
  const [own = 0, ...more] = processes().filter((pid) => !shared.includes(pid));
  expect(more).toEqual([]);
  expect(loadedLibraries(own).filter(isMedia)).not.toEqual([]);
  expect(shared.flatMap(loadedLibraries).filter(isMedia)).toEqual([]);
  expect(await file.stop()).toEqual(nothing);
  expect(processes()).toEqual(shared);

  for (const session of [again, two, three]) expect(await session.stop()).toEqual(nothing);
  await pool.close();
  expect(shared.filter(isAlive)).toEqual([]);
  // What was interrupted by nobody plays to its end, with all pictures.
  const [whole = '', another] = await recordingsIn(two.recordingsDir);
  expect(another).toBe(undefined);
  await expectWhole(whole);
});

test(
  'a process that crashes ends its own sessions only; after two crashes each of them is alone',
  patience,
  async () => {
    const { run, processes, entries } = await startPool(2);
    const [other, ...rest] = [run('other'), run('full')];
    const [untouched = 0] = processes();
    await allRecord([other, ...rest]);
    const killed = { type: 'ended', reason: 'failed', detail: 'the pipeline process was ended by SIGKILL' };
    for (const crash of [1, 2]) {
      const hit = [run('one'), run('two')];
      const [victim = 0] = processes().filter((pid) => pid !== untouched);
      await allRecord(hit);
      expect(victim).toBeGreaterThan(0);
      process.kill(victim, 'SIGKILL');
      for (const session of hit) expect(await session.end()).toEqual(killed);
      expect(entries.filter(({ level }) => level === 'warning').map(({ monitorID }) => monitorID)).toEqual(
        crash === 2 ? ['one', 'two'] : [],
      );
    }
    await Promise.all(rest.map(({ stop }) => stop()));
    const [one, two] = [run('one'), run('two')];
    await allRecord([one, two]);
    expect(processes().filter((pid) => / one$| two$/.test(commandLine(pid)))).toHaveLength(2);
    await expectGrowing(other);
    expect(isAlive(untouched)).toBe(true);
    // Whose process has not crashed goes where there is a seat.
    const back = run('full');
    await back.records();
    expect(processes()).toHaveLength(3);
    for (const session of [one, two, back]) await session.stop();
  },
);

test('a process that hangs ends after 15 s with its own sessions only', patience, async () => {
  const { run, processes } = await startPool(2);
  const [other, full] = [run('other'), run('full')];
  const [untouched = 0] = processes();
  const hit = [run('one'), run('two')];
  const [victim = 0] = processes().filter((pid) => pid !== untouched);
  await allRecord([other, full, ...hit]);
  expect(victim).toBeGreaterThan(0);
  process.kill(victim, 'SIGSTOP');
  const detail = 'the pipeline process did not answer for 15 s';
  for (const session of hit) expect(await session.end()).toEqual({ type: 'ended', reason: 'failed', detail });
  expect(isAlive(victim)).toBe(false);
  await expectGrowing(other);
  expect(other.reports.filter(({ type }) => type === 'ended')).toEqual([]);
  const again = run('one');
  await again.records();
});

test('an error that escapes from a session ends the process, as a crash does', patience, async () => {
  const { run, processes } = await startPool(2);
  const one = run('one');
  await one.records();
  const [pid = 0] = processes();
  // It gets lost on the way, so that the process throws where nobody expects it.
  const two = run('two', { source: { ...rtsp(camera.url()), toJSON: () => null } as never });
  const detail = "Cannot read properties of null (reading 'kind')";
  for (const session of [one, two])
    expect(await session.end()).toEqual({ type: 'ended', reason: 'failed', detail });
  expect(isAlive(pid)).toBe(false);
});

test(
  'a camera whose file hangs is stopped in time, and the others of its process record on',
  patience,
  async () => {
    const { run, processes } = await startPool(4);
    const other = run('other');
    await other.records();
    const [pid = 0] = processes();
    const recordingsDir = join(await temporaryFolder(), 'recordings');
    await mkdir(recordingsDir);
    // Opened for writing, it waits for a reader.
    execFileSync('mkfifo', [join(recordingsDir, `.one_main.${pid}.part`)]);
    const one = run('one', { recordingsDir });
    await waitFor(() => one.reports.some(({ type }) => type === 'streaming'), 20_000, 'its stream');
    await expectGrowing(other);
    const stopped = performance.now();
    expect(await one.stop()).toEqual(nothing);
    expect(performance.now() - stopped).toBeLessThan(6500);
    // The next connection has a file of its own, whatever becomes of that one.
    const again = run('one', { recordingsDir });
    await again.records();
    await expectGrowing(other);
    expect(processes()).toEqual([pid]);
  },
);

test('a process that several sessions leave at once goes on with the next one', async () => {
  const { run } = await startPool(4);
  const sessions = [run('a'), run('b')];
  await allRecord(sessions);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const ends = sessions.map(({ stop }) => stop());
  // Meanwhile both end, and this process hears of it at once.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  await Promise.all(ends);
  const next = run('c');
  await next.records();
  // Longer than an empty process waits for a session.
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  await expectGrowing(next);
  expect(next.reports.filter(({ type }) => type === 'ended')).toEqual([]);
});
