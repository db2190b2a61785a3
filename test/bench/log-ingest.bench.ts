import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { startTestBus } from '../support/bus.ts';
import { startChild } from '../support/child.ts';
import { temporaryFolder } from '../support/folder.ts';
import { lookAtNumbers } from '../support/numbered-log.ts';
import { cpuSeconds, memory } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';
import { followFeed } from './feed-client.ts';

/**
 * What the log takes: 20,000 entries a second for a minute, then a burst of 100,000, from four publishers of their own
 * through the bus into a whole recorder, whose log is followed by one client and queried once a second meanwhile.
 *
 * RATE and DURATION (seconds) change the load. Everything shares the machine, the publishers and the client too, so the
 * figures stand beside what the bus and the database reach alone in the same run, and what others used of the machine.
 */

const rate = Number(process.env['RATE'] ?? 20_000);
const seconds = Number(process.env['DURATION'] ?? 60);
const burst = 100_000;
const publishers = 4;
/** Until every publisher has been started. */
const startTime = 4000;
const atOnce = Number.MAX_SAFE_INTEGER;

interface Published {
  /** From the first entry to the last acknowledgement. */
  readonly seconds: number;
  /** Of CPU, of all publishers. */
  readonly cpu: number;
}

async function publish(
  address: BusAddress,
  name: string,
  perSecond: number,
  count: number,
): Promise<Published> {
  const start = Date.now() + startTime;
  const children = [...Array(publishers).keys()].map((n) => {
    const load = [perSecond / publishers, Math.floor(count / publishers), start];
    const args = [`${name}${n}`, JSON.stringify(address), ...load.map(String)];
    return startChild('node', [join(project, 'test/support/log-publisher.mjs'), ...args]);
  });
  let cpu = 0;
  for (const child of children) {
    await child.line(/^published \d+, lost 0$/, 300_000);
    cpu += Number((await child.line(/^used ([\d.]+) s$/))[1]);
  }
  return { seconds: (Date.now() - start) / 1000, cpu };
}

test('entries in great numbers', async () => {
  const reference = await references();
  const { server } = await startTestBus();
  const { servers, token = '' } = server.address;
  const recorder = await startRecorder({
    config: { bus: { servers: [...servers], token } },
    env: { NODE_OPTIONS: `--import=${pathToFileURL(join(project, 'test/bench/lag.mjs')).href}` },
  });
  const client = followFeed(recorder);
  const queries = askEachSecond(recorder);
  let looks = 0;
  const lag = async () => {
    looks += 1;
    recorder.signal('SIGUSR2');
    return (await recorder.line(new RegExp(`^lag ${looks}: (.*)`)))[1] ?? '';
  };
  const stored = async (name: string) => {
    const rows = await recorder.get<{ src: string; count: number }[]>('/api/log/stats?group=src');
    return rows.filter(({ src }) => src.startsWith(name)).reduce((sum, { count }) => sum + count, 0);
  };
  const used = () => ({
    recorder: cpuSeconds(recorder.pid),
    main: busy(`/proc/${recorder.pid}/task/${recorder.pid}/stat`),
    bus: cpuSeconds(server.pid),
    client: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
    machine: machineSeconds(),
  });

  await lag();
  const count = rate * seconds;
  const before = used();
  const steady = await publish(server.address, 'steady', rate, count);
  const arrived = await stored('steady');
  const begin = performance.now();
  await waitFor(async () => (await stored('steady')) >= count, 120_000, 'every entry in the table');
  const behind = (performance.now() - begin) / 1000;
  const steadyLag = await lag();
  await waitFor(() => client.received('steady') >= count, 60_000, 'every entry at the client');
  const after = used();
  const each = (name: keyof typeof after) => (((after[name] - before[name]) / count) * 1e6).toFixed(1);
  const ours =
    steady.cpu + after.recorder - before.recorder + after.bus - before.bus + after.client - before.client;
  const others = (after.machine - before.machine - ours) / (steady.seconds + startTime / 1000 + behind);
  const reached = count / steady.seconds;
  console.log(`  ${count} entries in ${steady.seconds.toFixed(1)} s: ${reached.toFixed(0)} a second`);
  console.log(
    `  ${(reached / reference.bus).toFixed(2)} of what the same publishers reach with the bus alone (${reference.bus.toFixed(0)} a second), ${(reached / reference.database).toFixed(3)} of a bare appender (${reference.database.toFixed(0)})`,
  );
  console.log(`  ${count - arrived} were not in the table at the end, all were ${behind.toFixed(2)} s later`);
  console.log(`  event loop of main late by ${steadyLag}`);
  console.log(`  queries ${queries.figures()}`);
  console.log(
    `  the client had ${client.received('steady')}, ${client.doubled} of them twice, ${client.cuts} times cut off`,
  );
  console.log(
    `  CPU for an entry in microseconds: publisher ${((steady.cpu / count) * 1e6).toFixed(1)}, nats-server ${each('bus')}, recorder ${each('recorder')} (main thread ${each('main')}), client ${each('client')}`,
  );
  console.log(`  others used ${others.toFixed(2)} of this machine's ${cpus().length} cores meanwhile`);

  const memoryBefore = memory(recorder.pid).rss;
  const sudden = await publish(server.address, 'burst', atOnce, burst);
  const memoryAfter = memory(recorder.pid).rss;
  const burstBegin = performance.now();
  await waitFor(async () => (await stored('burst')) >= burst, 60_000, 'the burst in the table');
  console.log(
    `  burst of ${burst}: on the bus in ${sudden.seconds.toFixed(1)} s, in the table ${((performance.now() - burstBegin) / 1000).toFixed(2)} s later; event loop late by ${await lag()}`,
  );
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  console.log(
    `  memory of the recorder ${megabytes(memoryBefore)} MB before it, ${megabytes(memoryAfter)} MB behind it`,
  );
  queries.stop();
  client.stop();
  await recorder.stop();
  const outcome = await lookAtNumbers(join(recorder.folder, 'storage/sentrybus.duckdb'));
  console.log(`  in the table: ${JSON.stringify(outcome)}`);
  expect(outcome).toMatchObject({ found: count + burst, distinct: count + burst, disordered: 0, stuck: 0 });
});

/** What one publisher reaches without anybody who reads, and what the database takes row by row. */
async function references(): Promise<{ bus: number; database: number }> {
  const { server } = await startTestBus();
  const count = 100_000;
  const alone = await publish(server.address, 'reference', atOnce, count);

  const instance = await DuckDBInstance.create(join(await temporaryFolder(), 'reference.duckdb'));
  const connection = await instance.connect();
  await connection.run(
    'CREATE TABLE log (time BIGINT, level VARCHAR, src VARCHAR, monitorID VARCHAR, msg VARCHAR)',
  );
  const begin = performance.now();
  const appender = await connection.createAppender('log');
  for (let n = 0; n < count; n += 1) {
    appender.appendBigInt(BigInt(n));
    for (const text of ['info', 'app', '', `${n}`]) appender.appendVarchar(text);
    appender.endRow();
  }
  appender.closeSync();
  const databaseSeconds = (performance.now() - begin) / 1000;
  connection.closeSync();
  instance.closeSync();
  await server.stop();
  return { bus: count / alone.seconds, database: count / databaseSeconds };
}

/** CPU seconds of one thread. */
function busy(stat: string): number {
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** CPU seconds that all processes of the machine have used since it began. */
function machineSeconds(): number {
  const { user, nice, sys, irq } = cpus()
    .map(({ times }) => times)
    .reduce((sum, each) => ({
      user: sum.user + each.user,
      nice: sum.nice + each.nice,
      sys: sum.sys + each.sys,
      irq: sum.irq + each.irq,
      idle: 0,
    }));
  return (user + nice + sys + irq) / 1000;
}

function askEachSecond(recorder: Recorder) {
  const times: number[] = [];
  let stopped = false;
  void (async () => {
    while (!stopped) {
      const begin = performance.now();
      await recorder.get('/api/log/query?levels=info&limit=50').then(
        () => times.push(performance.now() - begin),
        (error: Error) => console.log(`  a query failed: ${error.message}`),
      );
      await sleep(1000);
    }
  })();
  return {
    stop: () => {
      stopped = true;
    },
    figures() {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(0);
      return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms of ${sorted.length}`;
    },
  };
}
