import type { Worker } from 'node:worker_threads';

/** The threads of this process that have not ended. */
const threads = new Set<Worker>();

process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

/**
 * Ends the process, whatever its threads are at. `process.exit` waits for each of them, and one that is inside a call
 * of DuckDB may never return; then the end is SIGKILL, and the status says that instead of `code`.
 */
export function endProcess(code: number): void {
  if (threads.size === 0) process.exit(code);
  process.stderr.write('A thread does not end; the process is killed\n');
  process.kill(process.pid, 'SIGKILL');
}
