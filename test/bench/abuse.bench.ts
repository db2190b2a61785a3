import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { startChild } from '../support/child.ts';
import { atEnd } from '../support/cleanup.ts';
import { clip } from '../support/clips.ts';
import { fetchThrough } from '../support/https.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { cpuSeconds, memory } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/**
 * What hostile clients take from the others: a minute of them, beside a quiet minute of the same recorder. A good client
 * asks for the monitors' states, a publisher logs 200 entries a second, a camera is recorded.
 */

const seconds = Number(process.env['SECONDS'] ?? 60);
const entriesPerSecond = 200;

const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

test('a minute of abuse', async () => {
  const camera = await startCamera({ mounts: { main: { file: clip('vtest.mp4') } } });
  const recorder = await startRecorder({
    monitors: [rtspMonitor('street', [camera.url('main')], { alwaysRecord: true })],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const login = `${recorder.admin.username}:${recorder.admin.password}`;
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const address = JSON.parse(
    await readFile(join(recorder.folder, 'storage', 'bus', 'address.json'), 'utf8'),
  ) as object;
  const files = () => recorder.get<unknown[]>('/api/recording/query?limit=100');
  await waitFor(async () => (await files()).length > 0, 30_000, 'a recording');

  const minute = async (name: string, during: () => Promise<string>) => {
    const entries = entriesPerSecond * seconds;
    const publisher = join(project, 'test/support/log-publisher.mjs');
    const publishing = startChild('node', [
      ...[publisher, name, JSON.stringify(address)],
      ...[String(entriesPerSecond), String(entries)],
    ]);
    await publishing.line(/^publishing$/);
    const [cpu, begin] = [cpuSeconds(recorder.pid), Date.now()];
    let isOver = false;
    const attack = during().finally(() => {
      isOver = true;
    });
    const times: number[] = [];
    const refused: number[] = [];
    let mostMegabytes = 0;
    while (!isOver) {
      const asked = performance.now();
      const { status } = await fetchThrough(agent, `${recorder.url}/api/monitor/states`, { headers });
      times.push(performance.now() - asked);
      if (status !== 200) refused.push(status);
      if (times.length % 20 === 0) mostMegabytes = Math.max(mostMegabytes, memory(recorder.pid).pss / 1e6);
      await pause(20);
    }
    const outcome = await attack;
    await publishing.line(/^published \d+, lost 0$/, 60_000);
    const published = Date.now();
    await waitFor(
      async () => {
        const rows = await recorder.get<{ src: string; count: number }[]>('/api/log/stats?group=src');
        return rows.some(({ src, count }) => src === name && count === entries);
      },
      60_000,
      'every entry in the table',
    );
    const late = Date.now() - published;
    const cores = (cpuSeconds(recorder.pid) - cpu) / ((Date.now() - begin) / 1000);
    console.log(
      `${name}: a good client's p50 ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms, at most ${at(times, 1).toFixed(0)} ms, ${refused.length} of ${times.length} refused`,
    );
    console.log(
      `  all ${entries} entries in the table ${late} ms after the last was acknowledged; ${(100 * cores).toFixed(0)} % of a core, at most ${mostMegabytes.toFixed(0)} MB`,
    );
    if (outcome) console.log(`  ${outcome}`);
    return { times, refused };
  };

  const quiet = await minute('quiet', () => pause(seconds * 1000, ''));
  const abused = await minute('abused', async () => {
    const child = startChild('node', [
      ...[join(project, 'test/bench/abuse.mjs'), recorder.url, login],
      String(seconds),
    ]);
    return (await child.line(/^done: .*/, seconds * 1000 + 60_000))[0];
  });
  console.log(
    `p99 is ${(at(abused.times, 0.99) / at(quiet.times, 0.99)).toFixed(1)} times that of the quiet minute`,
  );
  const recorded = await files();
  console.log(`recordings that ended meanwhile, before their time: ${recorded.length - 1}`);
  expect([quiet.refused, abused.refused]).toEqual([[], []]);
  expect(recorded).toHaveLength(1);
});
