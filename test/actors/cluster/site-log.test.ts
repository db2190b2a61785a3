import { expect, onTestFinished, test, vi } from 'vitest';
import { SiteLog } from '../../../actors/cluster/site-log.ts';
import { type Heartbeat, heartbeats } from '../../../bus/nats/control/control-messages.ts';
import { OwnerRecords } from '../../../bus/nats/control/owner-records.ts';
import { startTestBus } from '../../support/bus.ts';
import { waitFor } from '../../support/wait.ts';

const machines = ['nvr1', 'nvr2', 'new'];

/** The site log of nvr1, which has started at 0, and what it has said. */
function siteLogOf(machines: readonly string[]) {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const log = { error: say, warning: say, info: say, debug() {} };
  const settings = { secret: '', capacity: 16, withoutQuorum: 'record', port: 6222 } as const;
  return { siteLog: new SiteLog({ name: 'nvr1', machines, ...settings }, log, 0), said };
}

test('a voter that was replaced by one of another name is said', async () => {
  const { bus } = await startTestBus();
  const records = new OwnerRecords(bus, 1);
  await records.open();
  const { streams } = await bus.jetStream.manager;
  const info = await streams.info('OWNERS');
  const peer = (name: string) => ({ name, current: true, active: 1 });
  const nodes = { leader: 'nvr2', replicas: [peer('nvr1'), peer('old')] };
  vi.spyOn(streams, 'info').mockResolvedValue({ ...info, cluster: nodes } as typeof info);
  const holders = await records.holders();
  const { siteLog, said } = siteLogOf(machines);
  siteLog.copiesAt(holders, ['nvr1', 'nvr2', 'old']);
  expect(said).toEqual([]);
  siteLog.copiesAt(holders, machines);
  expect(said).toEqual([expect.stringMatching(/^new has no copy .* but old is to have one/)]);
});

test('a machine that is not heard because its name is not known here is told from one that may be off', async () => {
  // The first one resolves nowhere (RFC 6761).
  const { siteLog, said } = siteLogOf(['nvr1', 'nvr2.invalid', '127.0.0.3']);
  siteLog.hears([], true, 9000);
  expect(said).toEqual([]);
  for (const now of [11_000, 12_000]) siteLog.hears([], true, now);
  // Without a name server a look-up takes a while.
  await waitFor(() => said.length === 2, 30_000, 'both reasons');
  expect(said.toSorted()).toEqual([
    '127.0.0.3 is not heard: is it on, with the same secret and port?',
    'nvr2.invalid is not heard: this machine does not know the name (use addresses in `machines`, or add it to /etc/hosts)',
  ]);
});

test('machines that are not in the list are said once, those of a monitor with what follows', () => {
  const { siteLog, said } = siteLogOf(machines);
  for (const machine of ['nvr9', 'nvr9']) siteLog.hearsStranger(machine);
  siteLog.checkMachines({ id: 'door', machines: ['nvr1', 'nvr9'] });
  siteLog.checkMachines({ id: 'door', machines: ['nvr9'] });
  expect(said).toEqual([
    expect.stringMatching(/^nvr9 is heard, which is not in machines/),
    'machines: [cluster] has no nvr9',
    'machines: [cluster] has no nvr9; until it has one, any machine may record it',
  ]);
});

const beatMs = 500;
const beatOf = (machine: string, capacity = 16): Heartbeat => ({
  ...{ machine, capacity, leaving: false, attends: [] },
});

/** The site log of nvr1, which hears other machines for 30 s at a time, whose clocks and delays a test says. */
function clocksOf(...others: readonly string[]) {
  const { siteLog, said } = siteLogOf(['nvr1', ...others]);
  let now = 0;
  const wall = vi.spyOn(Date, 'now');
  onTestFinished(() => wall.mockRestore());
  const hear = (beat: Heartbeat, aheadMs: number, delayMs: (count: number) => number = () => 20) => {
    for (let count = 0; count < 60; count++) {
      now += beatMs;
      wall.mockReturnValue(1e12 + now);
      siteLog.hearsTime(beat, 1e12 + now + aheadMs - delayMs(count), now);
    }
    return said.splice(0);
  };
  return { siteLog, hear };
}

const effect =
  "this machine's: after a takeover, events may be listed and published twice or not at all; let NTP (chrony) set the clocks of all machines";

test('a clock that differs by more than a second is said once, and when it agrees again', () => {
  const { hear } = clocksOf('nvr2', 'nvr3');
  expect(hear(beatOf('nvr2'), 900)).toEqual([]);
  expect(hear(beatOf('nvr2'), 3000)).toEqual([`the clock of nvr2 is 3.0 s ahead of ${effect}`]);
  expect(hear(beatOf('nvr2'), 3000)).toEqual([]);
  expect(hear(beatOf('nvr3'), -90_000)).toEqual([`the clock of nvr3 is 90.0 s behind ${effect}`]);
  expect(hear(beatOf('nvr2'), 800)).toEqual([]);
  expect(hear(beatOf('nvr2'), 100)).toEqual(["the clock of nvr2 agrees with this machine's again"]);
  expect(hear(beatOf('nvr2'), 100)).toEqual([]);
});

test('heartbeats that are late or few say nothing of a clock, nor does that of a machine that only votes', () => {
  const { siteLog, hear } = clocksOf('nvr2', 'tie');
  expect(hear(beatOf('nvr2'), 0, (count) => (count % 10) * 1000)).toEqual([]);
  expect(hear(beatOf('tie', 0), 5000)).toEqual([]);
  for (const now of [100_000, 150_000, 200_000]) siteLog.hearsTime(beatOf('nvr2'), 1e12, now);
  for (let count = 0; count < 60; count++)
    siteLog.hearsTime(beatOf('nvr2'), undefined, 300_000 + count * beatMs);
  expect(hear(beatOf('nvr2'), 0)).toEqual([]);
});

test('a heartbeat is read with a time, as of this version, and without one, as of the version before', () => {
  const before = { ...beatOf('nvr2'), session: 's', config: 1 };
  for (const sent of [before, { ...before, time: 1e12 }, { ...before, later: 'a field of a later version' }])
    expect(heartbeats.decode(heartbeats.encode(sent))).toEqual(sent);
});
