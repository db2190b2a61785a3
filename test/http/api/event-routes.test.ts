import { beforeAll, expect, test } from 'vitest';
import { snapshotEventID, writeSnapshot } from '../../../store/recordings/snapshots.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const path = (id: string) => `/api/event/${id}/snapshot.jpeg`;

test('every account sees the picture beside an event', async () => {
  const id = snapshotEventID(Date.now());
  await writeSnapshot(door.folder, id, Uint8Array.of(0xff, 0xd8, 0xff, 0xd9));
  const response = await door.fetch(path(id), {}, user);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/jpeg');
  expect(response.headers.get('cache-control')).toContain('private');
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
});

test.each([
  snapshotEventID(Date.now()),
  '..%2F..%2Faccounts',
  '20261123T042353123-..%2F..%2Fabcde',
  'G7TRMJ1M5Z7Q0F3XG4D0KQ',
])('there is no picture of %s', async (id) => {
  const response = await door.fetch(path(id), {}, user);
  expect(response.status).toBe(404);
});
