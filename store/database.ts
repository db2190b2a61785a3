import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Bus } from '../bus/connection.ts';
import type { LogEntry } from '../bus/messages.ts';
import { ensureStreams, type Replay, replay, streamRange } from '../bus/streams.ts';
import { logs } from '../bus/subjects.ts';
import { nowMicroseconds } from '../bus/time.ts';
import { LogStoreError } from './log-error.ts';
import type { Beginning, FromThread, ToThread } from './log-messages.ts';
import { LogTable } from './log-table.ts';
import { Projection } from './projection.ts';

/**
 * The log store's thread: DuckDB may block for a tenth of a second, which nobody else should feel.
 *
 * It needs no care when it ends: whatever it had not committed is still on the bus.
 */

const hour = 60 * 60 * 1000;
/** Milliseconds that a query waits for entries that are on the bus already. */
const patience = 500;

if (!parentPort) throw new Error('store/database.ts runs as a worker thread');
const port = parentPort;
const tell = (message: FromThread) => port.postMessage(message);
const report = ({ code, message }: LogStoreError) => tell({ kind: 'problem', code, message });

const beginning = workerData as Beginning;
const { table, broken } = await LogTable.open(beginning.file);
if (broken !== undefined) {
  report(
    new LogStoreError(
      'log_database_broken',
      `${beginning.file} cannot be read and was renamed to .broken; it is made again from what the bus has: ${broken}`,
    ),
  );
}

let following = false;
let outgoing: LogEntry[] = [];
const projection = new Projection(table, await table.position(), {
  publish(entry) {
    if (!following) return;
    // What arrives together is posted together.
    if (outgoing.push(entry) === 1) setImmediate(post);
  },
  report,
  giveUp(error) {
    setImmediate(() => {
      throw error;
    });
  },
});

if (beginning.followedUpTo !== undefined) {
  following = true;
  await catchUp(beginning.followedUpTo);
}

const bus = await Bus.connect(beginning.bus, 'log store');
let reader: Replay | undefined;
await resume();
bus.onReconnect(() => void resumeSoon());

port.on('message', (message: ToThread) => {
  if (message.kind === 'query') void answer(message);
  else if (message.kind === 'follow') follow(message.on);
  else void close();
});
const pruning = setInterval(() => void prune(), hour);
void prune();
tell({ kind: 'ready' });

/** Reads on where the table ends, or goes on reading if that is what happens already. */
async function resume(): Promise<void> {
  await ensureStreams(bus);
  const range = await streamRange(bus, 'LOGS');
  if (reader && projection.follows(range)) return;
  reader?.stop();
  projection.align(range);
  const mine: Replay = replay(bus, 'LOGS', logs, projection.position.sequence + 1, async (replayed) => {
    // What another stream's reader had in hand when it was stopped has no place here.
    if (mine === reader) await projection.accept(replayed);
  });
  reader = mine;
}

async function resumeSoon(): Promise<void> {
  while (bus.connected) {
    try {
      return await resume();
    } catch {
      await sleep(patience);
    }
  }
}

async function answer({ id, filter, oldestFirst }: Extract<ToThread, { kind: 'query' }>): Promise<void> {
  try {
    await arrive();
    // What a query shows has been committed. Should that fail now, it shows what was committed before.
    await projection.commit().catch(() => {});
    tell({ kind: 'answer', id, entries: await table.read(filter, oldestFirst) });
  } catch (error) {
    tell({ kind: 'refusal', id, message: (error as Error).message });
  }
}

/** Waits until what is on the bus now has been read, so that a query shows an entry that was written before it. */
async function arrive(): Promise<void> {
  if (!bus.connected) return;
  const range = await Promise.race([streamRange(bus, 'LOGS').catch(() => undefined), sleep(patience)]);
  if (range?.created === projection.position.stream) await projection.reached(range.last, patience);
}

function follow(on: boolean): void {
  // Before the answer, which says that everything up to its time has been posted.
  if (following) post();
  following = on;
  if (on) tell({ kind: 'following', time: projection.position.time });
}

function post(): void {
  const entries = outgoing;
  outgoing = [];
  if (entries.length > 0) tell({ kind: 'entries', entries });
}

/** After a crash: what was committed, but perhaps not posted any more. */
async function catchUp(after: number): Promise<void> {
  for (let last: number | undefined = after; last !== undefined; ) {
    const entries = await table.read({ after: last, limit: 1000 }, true);
    if (entries.length > 0) tell({ kind: 'entries', entries });
    last = entries.at(-1)?.time;
  }
}

async function prune(): Promise<void> {
  const oldest = nowMicroseconds() - beginning.maxAgeDays * 24 * hour * 1000;
  // A day with a full disk, or a long query: the next hour will do.
  await table.prune(Math.floor(oldest), beginning.maxSizeMegabytes * 1e6).catch(() => {});
}

async function close(): Promise<void> {
  clearInterval(pruning);
  reader?.stop();
  reader = undefined;
  await projection.commit().catch(() => {});
  await table.close();
  await bus.close();
  process.exit(0);
}
