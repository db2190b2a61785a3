import { Agent, request } from 'node:https';
import process from 'node:process';
import { WebSocket } from 'ws';

/**
 * Many clients in a process of their own, so that what is measured beside them is the server.
 *
 * `feed URL AUTHORIZATION COUNT` opens WebSockets and takes what comes. `login URL COUNT ADDRESSES` connects, waits
 * for a signal, and sends so many wrong passwords at once.
 */
const [role = '', url = '', ...rest] = process.argv.slice(2);

if (role === 'feed') {
  const [authorization = '', count = '0'] = rest;
  let opened = 0;
  for (let k = 0; k < Number(count); k += 1) {
    const socket = new WebSocket(url, { headers: { authorization }, rejectUnauthorized: false });
    socket.on('open', () => {
      opened += 1;
      if (opened === Number(count)) console.log('open');
    });
  }
} else {
  const [count = '0', addresses = '1'] = rest;
  const agents = Array.from({ length: Number(count) }, (_, k) => {
    const localAddress = `127.0.1.${1 + (k % Number(addresses))}`;
    return new Agent({ keepAlive: true, localAddress, rejectUnauthorized: false });
  });
  /** @param {Agent} agent @param {string} path @param {Record<string, string>} headers @returns {Promise<number>} */
  const status = (agent, path, headers) =>
    new Promise((resolve, reject) => {
      request(url + path, { agent, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      })
        .on('error', reject)
        .end();
    });
  await Promise.all(agents.map((agent) => status(agent, '/api/health', {})));
  // Idle connections alone would not keep the process.
  const waiting = setInterval(() => {}, 1000);
  process.once('SIGUSR2', async () => {
    clearInterval(waiting);
    const statuses = await Promise.all(
      agents.map((agent, k) => {
        const guess = Buffer.from(`admin:guess ${k}`).toString('base64');
        return status(agent, '/api/accounts', { authorization: `Basic ${guess}` });
      }),
    );
    const count = (/** @type {number} */ wanted) => statuses.filter((one) => one === wanted).length;
    console.log(`done: ${count(401)} refused after a derivation, ${count(429)} without one`);
    for (const agent of agents) agent.destroy();
  });
  console.log('connected');
}
