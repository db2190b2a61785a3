import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nowUs } from '../../../../bus/base/time.ts';
import type { MonitorState } from '../../../../bus/messages.ts';
import type { Bus } from '../../../../bus/nats/bus.ts';
import { history, objects, recordings } from '../../../../bus/subjects.ts';
import type { LogStore } from '../../../../store/log/log-store.ts';
import { LogDatabase } from '../../../../store/log/worker/log-database.ts';
import { project } from '../../../support/project.ts';
import { machine, openWithThread, start, startTestLog } from '../../../support/test-log.ts';
import { waitFor } from '../../../support/wait.ts';

/** Two logs of one cluster: `here` reads the streams of `there`. */
const other = 'nvr2';

async function startBoth() {
  const [here, there] = [await startTestLog(), await startTestLog(other)];
  const siteOf = (address: typeof there.server.address, name: string) => ({
    site: { address, others: [name] },
  });
  return {
    ...{ here, there },
    openHere: () => openWithThread({ open: () => here.open(siteOf(there.server.address, other)) }),
    openThere: () => there.open(siteOf(here.server.address, machine)),
  };
}

const say = (bus: Bus, monitorID: string, state: MonitorState, since = nowUs()) =>
  bus.store(history, [monitorID], { monitorID, state, reason: '', recording: false, since }, randomUUID());

/** A person in view, and a recording of them that grows. */
async function happen(bus: Bus): Promise<void> {
  const person = { id: 'o', monitorID: 'door', label: 'person', score: 90, eventID: 'e' };
  await bus.store(objects, ['door'], { ...person, start: start + 1, end: null }, randomUUID());
  const recording = { id: '2026-11-26_10-00-00_door', monitorID: 'door', state: 'growing' } as const;
  const footage = { start, end: start + 5e6, bytes: 7, streams: [], reason: '' };
  await bus.store(recordings, ['door'], { ...recording, ...footage }, randomUUID());
}

const rows = async (log: LogStore, sql: string) => (await log.sql(sql, new AbortController().signal)).rows;
const states = (log: LogStore) =>
  rows(
    log,
    `SELECT monitorID, state, endTime IS NULL FROM states WHERE machine = '${other}' ORDER BY monitorID, startTime`,
  );
const ends = async (log: LogStore) => [
  ...(await rows(log, 'SELECT endTime IS NOT NULL FROM objects')),
  ...(await rows(log, 'SELECT endTime FROM recordings')),
];
const become = (log: LogStore, expected: unknown) =>
  waitFor(async () => JSON.stringify(await states(log)) === JSON.stringify(expected), 10_000, 'the states');

test('of a machine that is not heard nothing goes on, until it is heard again', async () => {
  const { here, there, openHere } = await startBoth();
  const first = await openHere();
  const { log } = first;
  log.hear([machine, other]);
  await say(there.bus, 'door', 'streaming', start);
  await say(there.bus, 'yard', 'disabled', start);
  await happen(there.bus);
  const streaming = [
    ['door', 'streaming', true],
    ['yard', 'disabled', true],
  ];
  await become(log, streaming);
  await waitFor(async () => (await ends(log)).length === 2, 10_000, 'the person and the recording');
  expect(await ends(log)).toEqual([[false], [null]]);

  log.hear([machine]);
  const away = [
    ['door', 'streaming', false],
    ['door', 'away', true],
    ['yard', 'disabled', true],
  ];
  await become(log, away);
  expect(await ends(log)).toEqual([[true], [start + 5e6]]);
  const since = "SELECT startTime FROM states WHERE state = 'away'";
  const known = await rows(log, since);
  // Neither another thread nor another start makes the silence shorter.
  await first.crash();
  await become(log, away);
  expect(await rows(log, since)).toEqual(known);
  await log.close();
  const { log: again } = await openHere();
  expect(await states(again)).toEqual(away);
  again.hear([machine]);
  expect(await rows(again, since)).toEqual(known);

  // It was only cut off.
  again.hear([machine, other]);
  await become(again, streaming);
  expect(await ends(again)).toEqual([[false], [null]]);
  expect(here.errors.map(({ code }) => code)).toEqual(['log_thread_ended']);
});

test('until when a killed machine streamed all machines say alike, once it is back', async () => {
  const { there, openHere, openThere } = await startBoth();
  const [{ log: here }, killed] = [await openHere(), await openThere()];
  here.hear([machine, other]);
  await say(there.bus, 'door', 'streaming', start);
  await say(there.bus, 'yard', 'disabled', start);
  await happen(there.bus);
  await become(here, [
    ['door', 'streaming', true],
    ['yard', 'disabled', true],
  ]);
  await become(killed, await states(here));
  await killed.close();
  // Its cameras are recorded again before its log is opened.
  await say(there.bus, 'door', 'connecting');
  await say(there.bus, 'door', 'streaming');
  const back = await openThere();
  const told = [
    ['door', 'streaming', false],
    ['door', 'stopped', false],
    ['door', 'connecting', false],
    ['door', 'streaming', true],
    ['yard', 'disabled', true],
  ];
  await become(back, told);
  await become(here, told);
  const all = `SELECT * EXCLUDE (reconnect) FROM states WHERE machine = '${other}' ORDER BY ALL`;
  expect(await rows(here, all)).toEqual(await rows(back, all));
  expect(await ends(here)).toEqual([[true], [start + 5e6]]);

  // One that was off meanwhile reads the same later.
  await here.close();
  await back.close();
  await say(there.bus, 'door', 'connecting');
  const last = await openThere();
  await become(last, [
    ...told.slice(0, 3),
    ['door', 'streaming', false],
    ['door', 'stopped', false],
    ['door', 'connecting', true],
    ...told.slice(4),
  ]);
  const { log: late } = await openHere();
  late.hear([machine, other]);
  await become(late, await states(last));
  expect(await rows(late, all)).toEqual(await rows(last, all));
});

test('of a camera that was not streaming when its machine was killed all machines have the same', async () => {
  const { there, openHere, openThere } = await startBoth();
  const [{ log: here }, killed] = [await openHere(), await openThere()];
  here.hear([machine, other]);
  const all = `SELECT * FROM states WHERE machine = '${other}' ORDER BY monitorID, startTime`;
  await say(there.bus, 'door', 'connecting', start);
  await say(there.bus, 'yard', 'waiting', start);
  const before = [
    ['door', 'connecting', true],
    ['yard', 'waiting', true],
  ];
  await become(here, before);
  await become(killed, before);
  await killed.close();
  await say(there.bus, 'door', 'connecting');
  await say(there.bus, 'door', 'streaming');
  for (const state of ['connecting', 'waiting', 'connecting', 'waiting'] as const)
    await say(there.bus, 'yard', state);
  // Read by others before the kill is published.
  await become(here, [
    ['door', 'connecting', false],
    ['door', 'streaming', true],
    ['yard', 'waiting', true],
  ]);
  const back = await openThere();
  const after = [
    ['door', 'connecting', false],
    ['door', 'stopped', false],
    ['door', 'connecting', false],
    ['door', 'streaming', true],
    ['yard', 'waiting', false],
    ['yard', 'stopped', false],
    ['yard', 'connecting', false],
    ['yard', 'waiting', true],
  ];
  await become(back, after);
  await become(here, after);
  expect(await rows(here, all)).toEqual(await rows(back, all));
  await back.close();
  const again = await openThere();
  await say(there.bus, 'yard', 'streaming');
  const last = [
    ...after.slice(0, 3),
    ['door', 'streaming', false],
    ['door', 'stopped', true],
    ...after.slice(4, -1),
    ['yard', 'waiting', false],
    ['yard', 'stopped', false],
    ['yard', 'streaming', true],
  ];
  await become(again, last);
  await become(here, last);
  expect(await rows(here, all)).toEqual(await rows(again, all));
});

test('a machine that is killed again before it could say what had become of its monitors says so at the next start', async () => {
  const { there, openHere, openThere } = await startBoth();
  const [{ log: here }, killed] = [await openHere(), await openThere()];
  here.hear([machine, other]);
  await say(there.bus, 'door', 'streaming', start);
  await become(here, [['door', 'streaming', true]]);
  await become(killed, await states(here));
  await killed.close();
  const { database } = await LogDatabase.open(there.file, { machine: other, others: [machine] });
  await database.life.recordStart(nowUs());
  await database.close();
  const back = await openThere();
  const stopped = [
    ['door', 'streaming', false],
    ['door', 'stopped', true],
  ];
  await become(back, stopped);
  await become(here, stopped);

  // That it is repeated at each start changes nothing.
  await say(there.bus, 'door', 'streaming');
  const streaming = [...stopped.slice(0, 1), ['door', 'stopped', false], ['door', 'streaming', true]];
  await become(here, streaming);
  await become(back, streaming);
  await back.close();
  await openThere();
  await say(there.bus, 'yard', 'disabled');
  await become(here, [
    ...streaming.slice(0, 2),
    ['door', 'streaming', false],
    ['door', 'stopped', true],
    ['yard', 'disabled', true],
  ]);
});

test('a machine whose silence cannot be noted keeps no log from being opened', async () => {
  const { here, there, openHere } = await startBoth();
  await (await openHere()).log.close();
  const { database } = await LogDatabase.open(here.file, { machine, others: [other] });
  const writer = database.others.get(other)?.tables.writer;
  await writer?.run('ALTER TABLE silence ADD COLUMN nothingFits INTEGER');
  await database.close();
  const { log } = await openHere();
  log.hear([machine, other]);
  await say(there.bus, 'door', 'streaming', start);
  await become(log, [['door', 'streaming', true]]);
});

test("the README's uptime counts time in which one machine streams, whatever another one does", async () => {
  const { here, there, openHere } = await startBoth();
  const { log } = await openHere();
  log.hear([machine, other]);
  for (const { bus } of [here, there]) await say(bus, 'door', 'streaming', start);
  await become(log, [['door', 'streaming', true]]);
  log.hear([machine]);
  await become(log, [
    ['door', 'streaming', false],
    ['door', 'away', true],
  ]);
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const [question = ''] = /WITH week AS[^;]*AS uptime[^;]*;/.exec(readme) ?? [];
  expect(await rows(log, question)).toEqual([['door', 1, 0]]);
});
