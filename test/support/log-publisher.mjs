import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Publishes numbered log entries as a logger does, in a process of its own. SIGTERM ends it: when the bus has taken the
 * last one, it prints how many there were.
 *
 * Arguments: the source, the bus's address as JSON, entries per second, how many in all (0: without end), and when to
 * begin (Unix time in milliseconds; at once when that is over).
 */

/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/modules/${file}`, import.meta.url).href);
const { Bus } = await load('bus/nats/bus.js');
const { Outbox } = await load('bus/nats/outbox.js');
const { logs } = await load('bus/subjects.js');
const { nowUs } = await load('bus/base/time.js');

const [source = '', address = '{}', rate = '0', limit = '0', start = '0'] = process.argv.slice(2);
/** Longer than the bus is ever away: what is tested is what comes behind. */
const queue = 200_000;

let lost = 0;
const outbox = new Outbox(queue, (/** @type {number} */ count) => {
  lost += count;
});
outbox.attach(await Bus.connect(JSON.parse(address), source));
await sleep(Math.max(0, Number(start) - Date.now()));
const begin = performance.now();
const most = Number(limit) || Number.POSITIVE_INFINITY;
let number = 0;
const timer = setInterval(() => {
  const due = Math.min(most, ((performance.now() - begin) / 1000) * Number(rate));
  while (number < due) {
    number += 1;
    const entry = { level: 'info', time: nowUs(), msg: `${number}`, src: source, monitorID: '' };
    outbox.add(logs, ['info', source, ''], entry);
  }
  if (number === most) void leave();
}, 5);
process.once('SIGTERM', leave);
console.log('publishing');

async function leave() {
  clearInterval(timer);
  await outbox.flush(60_000);
  const { user, system } = process.cpuUsage();
  console.log(`used ${((user + system) / 1e6).toFixed(3)} s`);
  console.log(`published ${number}, lost ${lost}`);
  process.exit(0);
}
