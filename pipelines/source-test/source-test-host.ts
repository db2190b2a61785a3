import { testSource } from './source-test.ts';
import type { SourceTestOrder, SourceTestReport } from './source-test-protocol.ts';

/** The process of one test. It reports once, and is then ended by the one that asked. */

/** Milliseconds since this process began. */
const deadlineMs = 12_500;

// Threads of the addon that still wait for GStreamer would make an orderly exit hang for ever.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C in a terminal goes to every process; main decides what it means.
process.on('SIGINT', () => {});
process.on('uncaughtException', ({ message }) => report({ ok: false, reason: 'failed', detail: message }));

process.once('message', ({ source }: SourceTestOrder) => void testSource(source, deadlineMs).then(report));

function report(found: SourceTestReport): void {
  if (process.connected) process.send?.(found);
}
