import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import { Logger } from '../../bus/logging/logger.ts';
import type { LogEntry } from '../../bus/messages.ts';
import { Bus } from '../../bus/nats/bus.ts';
import { machineToken } from '../../bus/nats/control/machine-token.ts';
import { ensureStreams } from '../../bus/nats/jetstream.ts';
import { embeddedBus, type NatsServer, startNatsServer } from '../../bus/nats/nats-server.ts';
import { logs } from '../../bus/subjects.ts';
import {
  LogStore,
  type LogStoreError,
  type LogStoreOptions,
  type MachineEntry,
} from '../../store/log/log-store.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

export interface TestLog {
  readonly folder: string;
  readonly file: string;
  readonly server: NatsServer;
  readonly bus: Bus;
  readonly errors: LogStoreError[];
  open(options?: Pick<LogStoreOptions, 'site'>): Promise<LogStore>;
}

/** @param name of one of several machines, whose streams others read. */
export async function startTestLog(name?: string): Promise<TestLog> {
  const folder = await temporaryFolder();
  const server = await startNatsServer({
    ...{ dir: join(folder, 'bus'), log: new Logger(() => {}).source('app') },
    kind: embeddedBus(name === undefined ? undefined : { domain: machineToken(name), config: '' }),
  });
  atEnd(() => server.stop());
  const bus = await Bus.connect(server.address, 'test');
  atEnd(() => bus.close());
  await ensureStreams(bus);
  const file = join(folder, 'logs.duckdb');
  const errors: LogStoreError[] = [];
  const open = async (options: Pick<LogStoreOptions, 'site'> = {}) => {
    const store = await LogStore.open({
      file,
      bus: server.address,
      machine: name ?? machine,
      ...options,
      logs: { maxAgeDays: 30, maxSizeMegabytes: 100 },
      onError: (error) => errors.push(error),
    });
    atEnd(() => store.close());
    return store;
  };
  return { folder, file, server, bus, errors, open };
}

/** Of the entries below. */
export const machine = 'here';
// An hour ago: older entries would be pruned.
export const start = nowUs() - 3600e6;
export const entry = (n: number, fields: Partial<MachineEntry> = {}): MachineEntry => ({
  level: 'info',
  time: start + n,
  msg: `entry ${n}`,
  src: 'app',
  monitorID: '',
  machine,
  ...fields,
});

export async function store(bus: Bus, ...entries: LogEntry[]): Promise<void> {
  await Promise.all(
    entries.map((each) => bus.store(logs, [each.level, each.src, each.monitorID], each, randomUUID())),
  );
}

/** Publishes one after the other, and again what was not acknowledged, as the loggers do. */
export async function storeSurely(bus: Bus, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; ) {
    try {
      await bus.store(logs, ['info', 'app', ''], entry(n), `sure${n}`);
      n += 1;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The store that `open` makes, its thread, and a way to make that fail. */
export async function openWithThread({ open }: Pick<TestLog, 'open'>) {
  let thread: Worker | undefined;
  const remember = (worker: Worker) => {
    thread = worker;
  };
  process.on('worker', remember);
  const log = await open();
  process.off('worker', remember);
  if (!thread) throw new Error('no thread was made');
  const running = thread;
  const crash = async () => {
    const ended = once(running, 'exit');
    // No message of ours: the thread fails on it as it would on any mistake in it.
    running.postMessage(null);
    expect(await ended).toEqual([1]);
  };
  return { log, thread, crash };
}

export const messages = (entries: readonly LogEntry[]) => entries.map(({ msg }) => msg);
export const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, k) => `entry ${from + k}`);

export function expectIncreasing(times: readonly number[]): void {
  for (const [k, time] of times.entries()) if (k > 0) expect(time).toBeGreaterThan(times[k - 1] ?? 0);
}
