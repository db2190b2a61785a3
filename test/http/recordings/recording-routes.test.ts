import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { events } from '../../../bus/subjects.ts';
import { readSnapshot, snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import { addFootage, began, pathOf, report, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

let door: FrontDoor;
const ids: string[] = [];
beforeAll(async () => {
  [door] = await Promise.all([openFrontDoor(), makeVideo()]);
  for (let index = 0; index < 5; index += 1) {
    ids.push(await addFootage(door, { start: began + index * 10 * second, fragments: video.slice(0, 10) }));
  }
  await addFootage(door, { start: began, fragments: video.slice(0, 2), stream: 'sub' });
  await addFootage(door, { start: began + second, fragments: video.slice(0, 2), monitorID: 'yard' });
});

const query = async (search: string) =>
  (await door.fetch(`/api/recording/query?${search}`, {}, user)).json() as Promise<
    { id: string; state: string; start: number; end: number | null }[]
  >;
const idsOf = async (search: string) => (await query(search)).map(({ id }) => id);

describe('GET /api/recording/query', () => {
  test('lists recordings of all monitors, newest first', async () => {
    expect(await idsOf('')).toEqual([...ids].reverse().toSpliced(4, 0, '2026-11-23_03-40-13_yard'));
    expect((await query('monitors=door&limit=1'))[0]).toEqual({
      id: '2026-11-23_03-40-52_door',
      monitorID: 'door',
      stream: 'main',
      state: 'saved',
      start: began + 40 * second,
      end: began + 50 * second,
      bytes: expect.any(Number),
      video: { codec: 'h264', width: 320, height: 240 },
      audio: null,
      reason: '',
      protected: false,
    });
  });

  test('says which are protected', async () => {
    const of = async () =>
      (await query('monitors=door&limit=2')).map((each) => 'protected' in each && each.protected);
    expect((await door.change('PUT', `/api/recording/${ids[3]}/protect`)).status).toBe(200);
    expect(await of()).toEqual([false, true]);
    expect((await door.change('DELETE', `/api/recording/${ids[3]}/protect`)).status).toBe(200);
    expect(await of()).toEqual([false, false]);
  });

  test('pages both ways by ids', async () => {
    const page = (search: string) => idsOf(`monitors=door&limit=2&${search}`);
    const [a, b, c, d, e] = ids;
    expect(await page('')).toEqual([e, d]);
    expect(await page(`before=${d}`)).toEqual([c, b]);
    expect(await page(`before=${b}`)).toEqual([a]);
    expect(await page(`after=${a}`)).toEqual([b, c]);
    expect(await page(`after=${e}`)).toEqual([]);
    expect(await page('before=2200-12-28_23-59-59_x')).toEqual([e, d]);
  });

  test('takes those that reach into a time, without its end', async () => {
    const during = (from: number, to: number) =>
      idsOf(`monitors=door&start=${began + from * second}&end=${began + to * second}`);
    expect(await during(10, 20)).toEqual([ids[1]]);
    expect(await during(9, 21)).toEqual([ids[2], ids[1], ids[0]]);
    expect(await during(60, 70)).toEqual([]);
  });

  test('has the sub stream apart', async () => {
    expect(await idsOf('stream=sub')).toEqual(['2026-11-23_03-40-12_door_sub']);
  });

  test('has the one that is being written, and why one was lost', async () => {
    const at = { monitorID: 'gate', start: began, end: began + 3 * second, bytes: 5, streams: [] };
    const of = async () => (await query('monitors=gate')).map(({ state, end }) => [state, end]);
    await report(door.bus, { ...at, id: '2026-11-23_03-40-12_gate', state: 'started', reason: '' });
    expect(await of()).toEqual([['recording', null]]);
    const reason = 'no space left on the disk';
    await report(door.bus, { ...at, id: '2026-11-23_03-40-12_gate', state: 'lost', reason });
    expect(await of()).toEqual([['lost', at.end]]);
    expect(await query('monitors=gate')).toMatchObject([{ video: null, reason }]);
  });

  test.each(['monitors=a/b', 'limit=0', 'limit=1001', 'start=x', 'stream=third'])(
    '%s is refused',
    async (search) => {
      const answer = await door.fetch(`/api/recording/query?${search}`);
      expect([answer.status, (await answer.json()).code]).toEqual([400, 'invalid_value']);
    },
  );
});

describe('DELETE /api/recording', () => {
  test('deletes the file, and the catalogue forgets it; SQL remembers', async () => {
    const id = await addFootage(door, { start: began, fragments: video.slice(0, 3), monitorID: 'old' });
    await makeOld(pathOf(door.recordingsDir, id, 'old'));
    expect((await door.change('DELETE', `/api/recording?id=${id}`, undefined, user)).status).toBe(403);
    expect((await door.change('DELETE', `/api/recording?id=${id}`)).status).toBe(200);
    expect(existsSync(pathOf(door.recordingsDir, id, 'old'))).toBe(false);
    await expect.poll(() => idsOf('monitors=old')).toEqual([]);
    const sql = { sql: "SELECT count(*) FROM recordings WHERE monitorID = 'old'" };
    expect((await (await door.change('POST', '/api/log/sql', sql)).json()).rows).toEqual([[1]]);
    const again = await door.change('DELETE', `/api/recording?id=${id}`);
    expect([again.status, (await again.json()).code]).toEqual([404, 'not_found']);
    expect(door.logged.map(({ msg }) => msg)).toContain(`recording ${id} deleted by 'admin'`);
  });

  test('takes its thumbnail and its events with their snapshots along, and leaves the others', async () => {
    const at = (from: number, stream: 'main' | 'sub' = 'main') =>
      addFootage(door, {
        start: began + from * second,
        fragments: video.slice(0, 5),
        monitorID: 'gone',
        stream,
      });
    const [id, sub] = [await at(0), await at(0, 'sub')];
    await at(20);
    const path = pathOf(door.recordingsDir, id, 'gone');
    const thumbnail = path.replace(/mp4$/, 'jpeg');
    for (const file of [path, pathOf(door.recordingsDir, sub, 'gone')]) await makeOld(file);
    await writeFile(thumbnail, 'jpeg');
    const event = async (from: number) => {
      const time = began + from * second;
      const eventID = snapshotEventID(time / 1000);
      await writeSnapshot(door.folder, eventID, Buffer.from('jpeg'));
      const detections = [{ label: 'person', score: 80 }];
      const facts = {
        id: eventID,
        monitorID: 'gone',
        monitorName: 'Gone',
        source: 'tflite',
        time,
        detections,
      };
      await door.bus.store(events, ['gone', 'tflite'], facts, eventID);
      return eventID;
    };
    const [during, after] = [await event(2), await event(22)];
    const listed = async () =>
      ((await (await door.fetch('/api/event/query?monitors=gone')).json()) as { id: string }[]).map(
        ({ id }) => id,
      );
    const snapshots = async () =>
      (await Promise.all([during, after].map((each) => readSnapshot(door.folder, each)))).map(Boolean);
    // The main stream's recording of the same time is still there.
    expect((await door.change('DELETE', `/api/recording?id=${sub}`)).status).toBe(200);
    expect(await snapshots()).toEqual([true, true]);
    expect(await listed()).toEqual([after, during]);
    expect((await door.change('DELETE', `/api/recording?id=${id}`)).status).toBe(200);
    expect(await snapshots()).toEqual([false, true]);
    expect(existsSync(thumbnail)).toBe(false);
    await expect.poll(listed).toEqual([after]);
    const sql = { sql: "SELECT id FROM events WHERE monitorID = 'gone'" };
    expect((await (await door.change('POST', '/api/log/sql', sql)).json()).rows).toEqual([[after]]);
  });

  test('refuses the one that is being written', async () => {
    const footage = {
      start: began,
      fragments: video.slice(0, 3),
      monitorID: 'live',
      state: 'growing',
    } as const;
    const id = await addFootage(door, footage);
    const refused = await door.change('DELETE', `/api/recording?id=${id}`);
    expect([refused.status, (await refused.json()).code]).toEqual([409, 'conflict']);
    expect(existsSync(pathOf(door.recordingsDir, id, 'live'))).toBe(true);
    await addFootage(door, { ...footage, state: 'saved' });
    expect((await door.change('DELETE', `/api/recording?id=${id}`)).status).toBe(200);
  });

  test.each(['', '..%2F..%2Fx', '2026-11-23_03-40-12_do.or'])('refuses the id %j', async (id) => {
    expect((await door.change('DELETE', `/api/recording?id=${id}`)).status).toBe(400);
  });
});

async function makeOld(path: string): Promise<void> {
  const { utimes } = await import('node:fs/promises');
  await utimes(path, 1_000_000, 1_000_000);
}
