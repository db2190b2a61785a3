import type { Worker } from 'node:worker_threads';

/** Running threads of this process. */
const threads = new Set<Worker>();

process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

let mustBeKilled = false;

/** The process will end by SIGKILL: threads of an addon may wait for ever, and an orderly exit would wait for them. */
export function endByKill(): void {
  mustBeKilled = true;
}

/**
 * Ends the process even if a thread is blocked. `process.exit` waits for every thread, and one inside native code, of
 * DuckDB or a model's engine, may never return; if threads are left, the process kills itself with SIGKILL, which the
 * exit status shows instead of `code`.
 */
export function endProcess(code: number): void {
  if (threads.size === 0 && !mustBeKilled) process.exit(code);
  if (threads.size > 0) process.stderr.write('A thread is blocked; killing the process\n');
  process.kill(process.pid, 'SIGKILL');
}
