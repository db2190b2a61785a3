import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What hostile clients do to a recorder for a while, all at once: statements in SQL that are as dear as they may be, 1,000
 * silent connections, guessed passwords, bodies without end. Ends with one line of what came back.
 *
 * Arguments: the recorder's URL, the admin's `name:password`, seconds.
 */

const [url = '', login = '', seconds = '60'] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const end = Date.now() + Number(seconds) * 1000;
const agent = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false });
/** @type {Map<string, number>} */
const outcomes = new Map();
/** @param {string} outcome */
const count = (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
/** @param {string} credentials */
const basic = (credentials) => `Basic ${Buffer.from(credentials).toString('base64')}`;

/** @param {string} method @param {string} path @param {Record<string, string>} headers @param {string | Buffer} [body] */
async function send(method, path, headers, body) {
  const call = request(url + path, { method, headers, agent });
  // A body that is refused before it was read to its end.
  call.on('error', () => {});
  call.end(body);
  const [answer] = await once(call, 'response');
  const chunks = await answer.toArray();
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() };
}

/** @param {() => Promise<string>} step */
async function repeat(step) {
  while (Date.now() < end) {
    count(await step().catch((error) => String(error.code ?? error.message)));
    await sleep(5);
  }
}

const doubling = Array.from({ length: 24 }, (_, n) => `c${n + 1} AS (SELECT * FROM c${n}, c${n})`).join();
const statements = [
  `WITH c0 AS (SELECT 1 AS x), ${doubling} SELECT count(*) FROM c24`,
  'SELECT max(msg, 20000) OVER () FROM logs',
  "SELECT count(*) FROM logs a, logs b WHERE a.msg LIKE '%1%2%3%' AND b.msg LIKE '%4%5%'",
  "SELECT count(*) FROM logs WHERE msg ILIKE '%e%t%'",
  'SELECT quantile_cont(a.time - b.time, 0.5) FROM logs a, logs b',
  'SELECT a.msg, row_number() OVER (ORDER BY b.msg) FROM logs a, logs b LIMIT 1',
];

async function question() {
  const token = (await send('GET', '/api/account/my-token', { authorization: basic(login) })).text;
  let next = 0;
  return repeat(async () => {
    next += 1;
    const headers = {
      authorization: basic(login),
      'x-csrf-token': token,
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ sql: statements[next % statements.length] });
    return `sql ${(await send('POST', '/api/log/sql', headers, body)).status}`;
  });
}

async function silent() {
  while (Date.now() < end) {
    const sockets = Array.from({ length: 1000 }, () => connect(Number(port), hostname));
    for (const socket of sockets) socket.on('error', () => {});
    await sleep(5000);
    for (const socket of sockets) socket.destroy();
    count('1000 silent connections');
  }
}

let guesses = 0;
const guess = () =>
  repeat(async () => {
    guesses += 1;
    return `guess ${(await send('GET', '/api/monitors', { authorization: basic(`admin:${guesses}`) })).status}`;
  });

const endless = () =>
  repeat(async () => {
    const body = Buffer.alloc(50_000_000, ' ');
    return `body ${(await send('PUT', '/api/account', { 'content-type': 'application/json' }, body)).status}`;
  });

await Promise.all([question(), question(), silent(), guess(), guess(), endless()]);
console.log(`done: ${[...outcomes].map(([what, times]) => `${times} × ${what}`).join(', ')}`);
process.exit(0);
