import { writeFileSync } from 'node:fs';
import { StoreError } from '../../base/store-error.ts';
import { runStatement } from '../sql/sql-runner.ts';
import { SqlStream } from '../sql/sql-stream.ts';
import { LogSnapshot } from './log-snapshot.ts';
import type { FromSqlHost, SqlInterrupt, SqlStep, SqlSteps, ToSqlHost } from './sql-protocol.ts';

/**
 * The process of users' statements: runs one at a time, on a copy of the log. Main interrupts a statement that takes too long or
 * is no longer wanted, and kills the process if that does not help; the kernel bounds its memory.
 */

let snapshot: LogSnapshot | undefined;
let connection: Awaited<ReturnType<LogSnapshot['open']>> | undefined;
let stream: SqlStream | undefined;
let isWorking = false;
let interrupting: NodeJS.Timeout | undefined;

try {
  // The first process that the kernel ends when the machine has no memory left.
  writeFileSync('/proc/self/oom_score_adj', '1000');
} catch {
  // A container may forbid it.
}
process.on('disconnect', () => process.exit(0));
process.on('message', (order: ToSqlHost | SqlInterrupt) => {
  if (order.step === 'interrupt') {
    // Not if the answer was on its way already: the next statement would be interrupted. Repeated, because DuckDB ignores an
    // interruption between two steps.
    if (isWorking) interrupting ??= setInterval(() => connection?.interrupt(), 20);
    return;
  }
  isWorking = true;
  void take(order).then((answer) => reply({ kind: 'answer', answer }), refuse);
});

function reply(message: FromSqlHost): void {
  isWorking = false;
  clearInterval(interrupting);
  interrupting = undefined;
  process.send?.(message);
}

async function take(order: ToSqlHost): Promise<SqlSteps[SqlStep]['answer']> {
  if (order.step === 'open') {
    const { file, folder, version } = order.asked;
    snapshot ??= new LogSnapshot(file, folder);
    [stream, connection] = [undefined, undefined];
    connection = await snapshot.open(version);
    return undefined;
  }
  if (!connection) throw new Error('the log is not open');
  if (order.step === 'run') return runStatement(connection, order.asked.sql);
  if (order.step === 'stream') {
    stream = await SqlStream.open(connection, order.asked.sql, order.asked.format);
    return undefined;
  }
  if (!stream) throw new Error('no result is open');
  return stream.next();
}

function refuse(error: Error): void {
  const { code, pointer } = error instanceof StoreError ? error : { code: 'io' as const, pointer: undefined };
  const message = error instanceof StoreError ? error.message : `the log cannot be read: ${error.message}`;
  reply({ kind: 'refusal', code, message, ...(pointer !== undefined && { pointer }) });
}
