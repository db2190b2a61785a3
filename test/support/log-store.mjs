import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Stands for main where that is killed: a process that has a log store open. SIGUSR2 makes the store's thread fail.
 * SIGTERM closes it, once it holds an entry of the source `end` and a recording of the monitor `end`.
 *
 * Arguments: the database's file, and the bus's address as JSON.
 */
/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/modules/${file}`, import.meta.url).href);
const { LogStore } = await load('store/log/log-store.js');

const [file = '', address = '{}'] = process.argv.slice(2);

/** @type {import('node:worker_threads').Worker | undefined} */
let thread;
process.on('worker', (worker) => {
  thread = worker;
});
const store = await LogStore.open({
  file,
  bus: JSON.parse(address),
  logs: { maxAgeDays: 30, maxSizeMegabytes: 10_000 },
  /** @param {import('../../store/log/log-store.ts').LogStoreError} error */
  onError: (error) => console.log(error.code, error.message),
});
// No message of ours: the thread fails on it as it would on any mistake in it.
process.on('SIGUSR2', () => thread?.postMessage(null));
process.on('SIGTERM', async () => {
  const last =
    "SELECT 1 FROM logs, recordings WHERE logs.src = 'end' AND recordings.monitorID = 'end' LIMIT 1";
  const { signal } = new AbortController();
  const arrived = () => store.sql(last, signal).catch(() => ({ rows: [] }));
  while ((await arrived()).rows.length === 0) await sleep(100);
  await store.close();
  process.exit(0);
});
console.log('ready');
