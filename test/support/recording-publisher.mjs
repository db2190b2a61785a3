import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Publishes numbered recordings as a pipeline host does, in a process of its own. SIGTERM ends it: when the bus has taken
 * the last report, it prints how many recordings there were.
 *
 * Arguments: the monitor, the bus's address as JSON, and recordings per second.
 */

/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/modules/${file}`, import.meta.url).href);
const { Bus } = await load('bus/nats/bus.js');
const { Outbox } = await load('bus/nats/outbox.js');
const { recordings } = await load('bus/subjects.js');
const { RecordingProgress } = await load('pipelines/recording/recording-progress.js');

const [monitorID = '', address = '{}', rate = '0'] = process.argv.slice(2);
/** As if they followed each other in the last day: older ones would be let go. */
const beginUs = (Math.floor(Date.now() / 1000) - 86_400) * 1e6;

let lost = 0;
let number = 0;
let ending = false;
const outbox = new Outbox(200_000, (/** @type {number} */ count) => {
  lost += count;
});
outbox.attach(await Bus.connect(JSON.parse(address), monitorID));
process.once('SIGTERM', () => {
  ending = true;
});
console.log('publishing');
while (!ending) {
  number += 1;
  const start = beginUs + number * 1e6;
  const [date = '', clock = ''] = new Date(start / 1000).toISOString().slice(0, 19).split('T');
  const id = `${date}_${clock.replaceAll(':', '-')}_${monitorID}`;
  const recording = { id, monitorID, start, streams: [] };
  const progress = new RecordingProgress(recording, (/** @type {any} */ report) => {
    outbox.add(recordings, [monitorID], report);
  });
  progress.wrote(start + 1e5, 1);
  await sleep(500 / Number(rate));
  progress.wrote(start + 1e6, number);
  progress.end(number % 10 === 0 ? 'no space left on the disk' : '');
  await sleep(500 / Number(rate));
}
await outbox.flush(60_000);
console.log(`published ${number}, lost ${lost}`);
process.exit(0);
