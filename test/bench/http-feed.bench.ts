import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Logger } from '../../bus/log.ts';
import { startTestBus } from '../support/bus.ts';
import { atEnd } from '../support/cleanup.ts';
import { cpuSeconds } from '../support/processes.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** How long a log entry takes from the bus to 200 browsers. */

const clients = 200;
const entriesPerSecond = 200;
const seconds = 10;

const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

test('200 clients at 200 entries a second', async () => {
  const { server, bus } = await startTestBus();
  const recorder = await startRecorder({
    config: { bus: { servers: [...server.address.servers], token: server.address.token } },
  });
  const logger = new Logger(() => {});
  logger.attach(bus);
  const log = logger.source('bench');
  const authorization = `Basic ${Buffer.from(`${recorder.admin.username}:${recorder.admin.password}`).toString('base64')}`;
  await recorder.fetch('/api/account/my-token');

  let delays: number[] = [];
  const open = async (count: number) => {
    const sockets = await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = new WebSocket(`${recorder.url.replace('http', 'ws')}/api/logs?sources=bench`, {
          headers: { authorization },
          rejectUnauthorized: false,
        });
        atEnd(async () => socket.terminate());
        socket.on('message', (data: Buffer) => {
          const sent = /"msg":"([\d.]+)/.exec(data.toString('latin1'))?.[1];
          delays.push(performance.now() - Number(sent));
        });
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
        return socket;
      }),
    );
    return () => sockets.forEach((socket) => socket.terminate());
  };
  const run = async (count: number) => {
    const close = await open(count);
    delays = [];
    const cpu = cpuSeconds(recorder.pid);
    const begin = performance.now();
    let written = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(
          entriesPerSecond * seconds,
          Math.floor(((performance.now() - begin) / 1000) * entriesPerSecond),
        );
        for (; written < due; written += 1) log.info(`${performance.now()}`);
        if (written < entriesPerSecond * seconds) return;
        clearInterval(timer);
        resolve();
      }, 2);
    });
    await waitFor(
      () => delays.length === written * count,
      10_000,
      `all frames, ${delays.length} of ${written * count}`,
    );
    const share = (cpuSeconds(recorder.pid) - cpu) / ((performance.now() - begin) / 1000);
    close();
    console.log(
      `${String(count).padStart(4)} clients: median ${at(delays, 0.5).toFixed(1)} ms, p99 ${at(delays, 0.99).toFixed(1)} ms, max ${at(delays, 1).toFixed(1)} ms; ${(share * 100).toFixed(0)} % of a core`,
    );
    return at(delays, 0.99);
  };
  await run(1);
  const one = await run(1);
  const all = await run(clients);
  console.log(`p99 at ${clients} clients is ${(all / one).toFixed(1)} times that at one`);
  expect(all).toBeLessThan(50);
});
