import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../../bus/base/time.ts';
import { logs, recordings } from '../../bus/subjects.ts';
import { startTestBus } from './bus.ts';
import { type Child, startChild } from './child.ts';
import { temporaryFolder } from './folder.ts';
import { lookAtNumbers } from './numbered-log.ts';
import { project } from './project.ts';
import { seeded } from './seeded.ts';
import { waitFor } from './wait.ts';

export interface Kills {
  readonly count: number;
  /** Milliseconds from one to the next, on average. */
  readonly pause: number;
  /** Entries per second, of two publishers together. */
  readonly rate: number;
  readonly seed: number;
}

export interface Outcome {
  /** How often each was killed. */
  readonly killed: Readonly<Record<'process' | 'thread' | 'server', number>>;
  readonly published: number;
  /** Given up by the publishers, which is none while the bus is away for a moment only. */
  readonly dropped: number;
  readonly missing: number;
  readonly doubled: number;
  /** Entries that stand before an older one of their publisher. */
  readonly disordered: number;
  /** Entries whose time is not later than that of the one before them. */
  readonly stuck: number;
  readonly recordings: RecordingOutcome;
  /** What the log's store reported, without repetitions. */
  readonly reports: ReadonlySet<string>;
}

export interface RecordingOutcome {
  readonly published: number;
  readonly missing: number;
  readonly doubled: number;
  /** Recordings without an end, or with another one than was published. */
  readonly wrong: number;
}

const sources = ['first', 'second'];
const recordingsPerSecond = 20;

/**
 * Kills what the log goes through, at random moments, while entries and recordings are published: the process that stands for main
 * (`kill -9`), the store's thread (by an error in it), and nats-server (`kill -9`). Then looks what is in the table.
 */
export async function killWhileLogging({ count, pause, rate, seed }: Kills): Promise<Outcome> {
  const random = seeded(seed);
  const { server, bus } = await startTestBus();
  const address = JSON.stringify(server.address);
  const file = join(await temporaryFolder(), 'log.duckdb');
  const reports = new Set<string>();
  const run = (script: string, ...args: string[]) =>
    startChild('node', [join(project, 'test/support', script), ...args]);

  let ending = false;
  let store = keepRunning();
  const publishers = sources.map((source) =>
    run('log-publisher.mjs', source, address, String(rate / sources.length)),
  );
  const recorder = run('recording-publisher.mjs', 'door', address, String(recordingsPerSecond));
  for (const publisher of [...publishers, recorder]) await publisher.line(/^publishing$/);

  const killed = { process: 0, thread: 0, server: 0 };
  const kinds = Object.keys(killed) as (keyof typeof killed)[];
  for (let n = 0; n < count; n += 1) {
    await sleep(random() * 2 * pause);
    const kind = kinds[Math.floor(random() * kinds.length)] ?? 'process';
    if (kind === 'process') await store.kill();
    else if (kind === 'thread') store.signal('SIGUSR2');
    else server.restart();
    killed[kind] += 1;
  }

  let published = 0;
  let dropped = 0;
  for (const publisher of publishers) {
    publisher.signal('SIGTERM');
    const [, all, lost] = await publisher.line(/^published (\d+), lost (\d+)$/, 60_000);
    published += Number(all);
    dropped += Number(lost);
  }
  recorder.signal('SIGTERM');
  const [, recorded, lostReports] = await recorder.line(/^published (\d+), lost (\d+)$/, 60_000);
  dropped += Number(lostReports);
  await publishSurely();
  // One whose thread was ended before it was ready ends too, and another one takes its place.
  await waitFor(() => store.line(/^ready$/, 30_000), 60_000, 'a log store that is ready');
  ending = true;
  store.signal('SIGTERM');
  await store.exited;
  const { found, distinct, disordered, stuck, recordings: stored } = await lookAtNumbers(file);
  const [missing, doubled] = [published - distinct, found - distinct];
  const ofRecordings = {
    published: Number(recorded),
    missing: Number(recorded) - stored.distinct,
    doubled: stored.found - stored.distinct,
    wrong: stored.wrong,
  };
  return {
    killed,
    published,
    dropped,
    missing,
    doubled,
    disordered,
    stuck,
    recordings: ofRecordings,
    reports,
  };

  /** As a service manager would: whenever it ends, it is started again. */
  function keepRunning(): Child {
    const child = run('log-store.mjs', file, address);
    void child.exited.then(() => {
      for (const line of child.lines) if (line.startsWith('log_')) reports.add(line);
      if (!ending) store = keepRunning();
    });
    return child;
  }

  /** The last entry and the last recording of all: when they are in the tables, all are. */
  async function publishSurely(): Promise<void> {
    const entry = { level: 'info' as const, time: nowUs(), msg: '', src: 'end', monitorID: '' };
    await repeatedly((id) => bus.store(logs, ['info', 'end', ''], entry, id));
    const recording = { id: '2030-01-01_00-00-00_end', monitorID: 'end', streams: [], reason: '' };
    const report = { ...recording, state: 'saved' as const, start: nowUs(), end: nowUs(), bytes: 0 };
    await repeatedly((id) => bus.store(recordings, ['end'], report, id));
  }
}

async function repeatedly(store: (id: string) => Promise<void>): Promise<void> {
  const id = randomUUID();
  for (;;) {
    const stored = await store(id).then(
      () => true,
      () => false,
    );
    if (stored) return;
    await sleep(50);
  }
}
