import { expect, test } from 'vitest';
import { ensureStreams } from '../../../bus/nats/jetstream.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { tenures } from '../../../bus/subjects.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import type { FrontDoor } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { openTwoMachines } from '../../support/two-machines.ts';
import { waitFor } from '../../support/wait.ts';

/** It has the token from this second on; null: it does not record. */
async function hold({ bus }: FrontDoor, at: number, token: number | null): Promise<void> {
  const outbox = new Outbox(10, () => {});
  outbox.attach(bus);
  const time = began + at * second;
  outbox.add(tenures, ['door'], { monitorID: 'door', time, token, provisional: false });
  await outbox.flush(5000);
}

test('where two machines have footage, that of whoever had the token at the time is played', async () => {
  const [{ site, here, there, hereName, thereName }] = await Promise.all([
    openTwoMachines(['door']),
    makeVideo(),
  ]);
  for (const door of [here, there]) {
    await ensureStreams(door.bus, true);
    await addFootage(door, { start: began, fragments: video.slice(0, 20) });
  }
  await hold(there, -100, 5);
  await hold(here, 10, 6);
  await hold(there, 15, null);
  /** The machine and the second of each part. */
  const parts = async () => {
    const answer = await here.fetch(
      `/api/monitor/door/playlist.m3u8?start=${began}&end=${began + 60 * second}`,
    );
    const text = answer.status === 200 ? await answer.text() : '';
    const found = text.matchAll(/DATE-TIME:(\S+)[\s\S]*?door@([\d.]+)/g);
    return [...found].map(([, time = '', machine]) => [
      machine,
      Math.round((Date.parse(time) * 1000 - began) / second),
    ]);
  };
  const expected = JSON.stringify([
    [thereName, 0],
    [hereName, 10],
  ]);
  await waitFor(async () => JSON.stringify(await parts()) === expected, 20_000, 'what is shown');
  // Today's owner is not asked for it, unless the other one is not heard.
  site.hear('door', thereName);
  expect(JSON.stringify(await parts())).toBe(expected);
  site.away.add(thereName);
  expect(await parts()).toEqual([[hereName, 0]]);
});
