import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Logger } from '../../bus/logging/logger.ts';
import { startTestBus } from '../support/bus.ts';
import { startChild } from '../support/child.ts';
import { atEnd } from '../support/cleanup.ts';
import { cpuSeconds } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** How long a log entry takes to 200 browsers. Twenty of them are watched: the first ten and the last ten. */

const watched = 20;
const others = 180;
const entriesPerSecond = 200;
const seconds = 10;

const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

test('200 clients at 200 entries a second', async () => {
  const { server, bus } = await startTestBus();
  const { servers, token = '' } = server.address;
  const recorder = await startRecorder({ config: { bus: { servers: [...servers], token } } });
  const logger = new Logger(() => {});
  logger.attach(bus);
  const log = logger.source('bench');
  const { username, password } = recorder.admin;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  await recorder.fetch('/api/account/my-token');
  const url = `${recorder.url.replace('http', 'ws')}/api/logs?sources=bench`;

  const sockets: WebSocket[] = [];
  atEnd(async () => {
    for (const socket of sockets) socket.terminate();
  });
  let delays: number[] = [];
  const watch = async (count: number) => {
    for (let k = 0; k < count; k += 1) {
      const socket = new WebSocket(url, { headers: { authorization }, rejectUnauthorized: false });
      sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        const sent = /"msg":"([\d.]+)/.exec(data.toString('latin1'))?.[1];
        delays.push(performance.now() - Number(sent));
      });
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    }
  };

  const run = async (clients: number) => {
    delays = [];
    const cpu = cpuSeconds(recorder.pid);
    const begin = performance.now();
    let written = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.floor(((performance.now() - begin) / 1000) * entriesPerSecond);
        for (; written < Math.min(due, entriesPerSecond * seconds); written += 1)
          log.info(`${performance.now()}`);
        if (written < entriesPerSecond * seconds) return;
        clearInterval(timer);
        resolve();
      }, 2);
    });
    await waitFor(() => delays.length === written * sockets.length, 10_000, 'all frames');
    const share = (cpuSeconds(recorder.pid) - cpu) / ((performance.now() - begin) / 1000);
    console.log(
      `${clients} clients: median ${at(delays, 0.5).toFixed(1)} ms, p99 ${at(delays, 0.99).toFixed(1)} ms, max ${at(delays, 1).toFixed(1)} ms; ${(share * 100).toFixed(0)} % of a core`,
    );
    return at(delays, 0.99);
  };
  await watch(watched / 2);
  await run(watched / 2);
  const few = await run(watched / 2);
  const crowd = startChild('node', [
    join(project, 'test/bench/crowd.mjs'),
    'feed',
    url,
    authorization,
    String(others),
  ]);
  await crowd.line(/^open$/);
  await watch(watched / 2);
  const all = await run(watched + others);
  console.log(`p99 at ${watched + others} clients is ${(all / few).toFixed(1)} times that at ${watched / 2}`);
  expect(all).toBeLessThan(50);
});
