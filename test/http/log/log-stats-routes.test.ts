import { beforeAll, expect, test } from 'vitest';
import type { LogEntry } from '../../../bus/messages.ts';
import { type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

let door: FrontDoor;
let first: LogEntry;
let last: LogEntry;
beforeAll(async () => {
  door = await openFrontDoor();
  const log = door.logger.source('recorder');
  log.warning('100% slow', 'a');
  log.warning('100 slow', 'b');
  log.info('fast', 'a');
  await door.logger.flush(5000);
  const entries = await get('/api/log/query?sources=recorder');
  [last, , first] = entries as [LogEntry, LogEntry, LogEntry];
});

const get = async (path: string) => (await door.fetch(path)).json();

test('entries are counted by what is asked for', async () => {
  const stats = (query: string) => get(`/api/log/stats?sources=recorder${query}`);
  expect(await stats('')).toEqual([{ count: 3 }]);
  expect(await stats('&group=monitorID,level')).toEqual([
    { level: 'info', monitorID: 'a', count: 1 },
    { level: 'warning', monitorID: 'a', count: 1 },
    { level: 'warning', monitorID: 'b', count: 1 },
  ]);
  expect(await stats('&group=src&levels=warning&text=slow')).toEqual([{ src: 'recorder', count: 2 }]);
  const [month] = await stats('&bucket=1mo');
  expect(new Date(month.time / 1000).toISOString()).toMatch(/-01T00:00:00.000Z$/);
});

test('a time begins with its start and ends before its end', async () => {
  const count = async (query: string) => (await get(`/api/log/stats?sources=recorder&${query}`))[0].count;
  expect(await count(`start=${first.time}&end=${last.time}`)).toBe(2);
  expect(await count(`start=${first.time + 1}&end=${last.time + 1}`)).toBe(2);
});

test('a text is searched for as it is', async () => {
  const found = async (text: string) =>
    (await get(`/api/log/query?sources=recorder&text=${encodeURIComponent(text)}`)).map(
      ({ msg }: LogEntry) => msg,
    );
  expect(await found('100%')).toEqual(['100% slow']);
  expect(await found('0_ s')).toEqual([]);
  expect(await found('SLOW')).toEqual([]);
});

test.each(['group=msg', 'bucket=2s', 'bucket=1s,1m', 'start=x', `text=${'x'.repeat(201)}`])(
  '%s is refused',
  async (query) => {
    expect((await door.fetch(`/api/log/stats?${query}`)).status).toBe(400);
  },
);
