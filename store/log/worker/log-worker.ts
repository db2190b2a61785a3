import { parentPort, workerData } from 'node:worker_threads';
import { Bus } from '../../../bus/nats/bus.ts';
import { LogDatabase } from './log-database.ts';
import type { FromLogWorker, LogWorkerStart, ToLogWorker } from './log-protocol.ts';
import { LogService } from './log-service.ts';

/**
 * The log store's thread: DuckDB may block for a tenth of a second, which must not stall the main thread.
 *
 * Entries that it had not committed when it ends are still on the bus, so a restart is the only repair needed. But it must
 * close its database first: see `LogDatabase.close`.
 */

if (!parentPort) throw new Error('store/log/worker/log-worker.ts runs as a worker thread');
const port = parentPort;
const beginning = workerData as LogWorkerStart;
let database: LogDatabase | undefined;
let ending = false;

/** Failures that are caused by the thread's own end are not reported. */
function tell(message: FromLogWorker): void {
  if (!ending) port.postMessage(message);
}

process.on('uncaughtException', fail);
start().catch(fail);

async function start(): Promise<void> {
  const { file, machine, site } = beginning;
  const opened = await LogDatabase.open(file, { machine, others: site?.others ?? [] });
  database = opened.database;
  if (opened.broken !== undefined) {
    const text = `${file} cannot be read, was renamed to .broken and is made again from what the bus has`;
    tell({ kind: 'problem', code: 'log_database_broken', message: `${text}: ${opened.broken}` });
  }
  const bus = await Bus.connect(beginning.bus, 'log store');
  const service = await LogService.start(database, bus, { beginning, tell, fail });
  port.on('message', (message: ToLogWorker) => {
    if (message.kind === 'ask') void service.answer(message);
    else if (message.kind === 'follow') service.dispatch.follow(message.on);
    else if (message.kind === 'taken') service.dispatch.taken();
    else if (message.kind === 'hear') service.hear(message.machines);
    else service.close().then(() => end(0), fail);
  });
  tell({ kind: 'ready' });
}

function fail(error: Error): void {
  if (ending) return;
  tell({ kind: 'failure', message: error.message });
  ending = true;
  end(1);
}

function end(code: number): void {
  const exit = () => process.exit(code);
  (database?.close() ?? Promise.resolve()).then(exit, exit);
}
