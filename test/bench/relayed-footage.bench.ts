import { truncate, utimes } from 'node:fs/promises';
import { test } from 'vitest';
import { addFootage, began, pathOf, report, second } from '../support/footage.ts';
import type { FrontDoor } from '../support/http-server.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';
import { openTwoMachines } from '../support/two-machines.ts';
import { waitFor } from '../support/wait.ts';

/** What it costs that another machine has the footage, beside asking that one itself. */

const rounds = 40;
const fileBytes = 64 * 1024 * 1024;
/** More than a page of each machine. */
const recordings = 150;

test('lists and files of another machine', async () => {
  const [{ here, there, thereName }] = await Promise.all([openTwoMachines(['door']), makeVideo()]);
  const id = await addFootage(there, { start: began, fragments: video.slice(0, 10) });
  const file = pathOf(there.recordingsDir, id);
  await truncate(file, fileBytes);
  await utimes(file, began / 1e6, began / 1e6);
  for (let index = 1; index <= recordings; index += 1)
    for (const door of [here, there]) {
      const start = began + index * 900 * second;
      const name = new Date(start / 1000).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
      await report(door.bus, {
        ...{ id: `${name}_door`, monitorID: 'door', state: 'saved', reason: '', bytes: 7, streams: [] },
        ...{ start, end: start + 900 * second },
      });
    }
  const all = async () => (await here.fetch('/api/recording/query?limit=1000')).json() as Promise<unknown[]>;
  await waitFor(async () => (await all()).length === 2 * recordings + 1, 30_000, 'all recordings');

  const videoOf = (name: string) => `/api/recording/${name}/video.mp4`;
  const ways: readonly (readonly [string, FrontDoor, string])[] = [
    ['itself', there, id],
    ['another machine', here, `${id}@${thereName}`],
  ];
  const questions: readonly (readonly [string, (name: string) => string, Record<string, string>])[] = [
    ['a page of 100 recordings', () => '/api/recording/query', {}],
    ['64 KB of a file', videoOf, { range: 'bytes=1000-66535' }],
    ['64 MB of a file', videoOf, {}],
  ];
  for (const [question, pathFor, headers] of questions) {
    const times = ways.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1)
      for (const [index, [, door, name]] of ways.entries()) {
        const begunMs = performance.now();
        await (await door.fetch(pathFor(name), { headers })).arrayBuffer();
        times[index]?.push(performance.now() - begunMs);
      }
    const [own = 0, relayed = 0] = times.map((found) => found.sort((a, b) => a - b)[rounds >> 1] ?? 0);
    console.log(
      `${question}, p50 of ${rounds}: asked itself ${own.toFixed(1)} ms, asked another machine ${relayed.toFixed(1)} ms (${(relayed / own).toFixed(2)})`,
    );
  }
});
