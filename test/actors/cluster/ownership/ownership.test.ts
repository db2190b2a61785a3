import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ownership, type OwnershipOptions } from '../../../../actors/cluster/ownership/ownership.ts';
import { byPreference } from '../../../../actors/cluster/ownership/placement.ts';
import type { Heartbeat } from '../../../../bus/nats/control/control-messages.ts';
import { playSchedule } from '../../../support/simulated-site.ts';
import { siteSchedules } from '../../../support/site-schedules.ts';

test('whatever happens, every monitor is recorded within 5 s, and after the heal by its owner alone', () => {
  fc.assert(
    fc.property(siteSchedules, (schedule) => {
      expect(playSchedule(schedule)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

const nvr1 = (options: Partial<OwnershipOptions> = {}) =>
  new Ownership({
    ...{ machine: 'nvr1', capacity: 16, voters: ['nvr1', 'nvr2', 'nvr3'], withoutQuorum: 'record' },
    ...{ monitors: () => [{ id: 'm' }], startedAt: 0 },
    ...options,
  });

/** Decides five times a second, up to this time in milliseconds, and hears another machine say the same each time. */
function decideUntil(ownership: Ownership, from: number, until: number, beat?: Heartbeat): void {
  for (let now = from; now <= until; now += 200) {
    if (beat) ownership.hear(beat, now);
    ownership.decide(now);
  }
}

test('a silent owner is relieved after 3 s, until it has been heard to record again for 5 s', () => {
  const ownership = nvr1();
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const attends = [{ id: 'm', token: 7, rank: 14, streaming: true }];
  ownership.hear({ ...beat, attends }, 100);
  decideUntil(ownership, 200, 3000);
  expect(ownership.attended).toEqual(new Set());
  decideUntil(ownership, 3200, 3800);
  expect(ownership.attended).toEqual(new Set(['m']));
  ownership.settled('m', false, 3800);

  // There, but not recording yet.
  ownership.hear({ ...beat, attends: [{ id: 'm', token: 7, rank: 14, streaming: false }] }, 4000);
  decideUntil(ownership, 4000, 4400);
  expect(ownership.attended).toEqual(new Set(['m']));
  decideUntil(ownership, 4500, 9400, { ...beat, attends });
  expect(ownership.attended).toEqual(new Set(['m']));
  decideUntil(ownership, 9500, 9500, { ...beat, attends });
  expect(ownership.attended).toEqual(new Set());
});

test('a monitor that is enabled again is left to its owner for 3 s', () => {
  let monitors = [{ id: 'm' }];
  const ownership = nvr1({ monitors: () => monitors });
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const attends = [{ id: 'm', token: 7, rank: 14, streaming: true }];
  decideUntil(ownership, 200, 1000, { ...beat, attends });
  monitors = [];
  decideUntil(ownership, 1200, 600_000, { ...beat, attends: [] });
  monitors = [{ id: 'm' }];
  decideUntil(ownership, 600_200, 603_000, { ...beat, attends: [] });
  expect(ownership.attended).toEqual(new Set());
  decideUntil(ownership, 603_200, 604_000, { ...beat, attends: [] });
  expect(ownership.attended).toEqual(new Set(['m']));
});

test('an owner that stood still says at first that it has pictures, and has none', () => {
  const ownership = nvr1();
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const says = (streaming: boolean) => ({ ...beat, attends: [{ id: 'm', token: 7, rank: 14, streaming }] });
  decideUntil(ownership, 100, 1000, says(true));
  decideUntil(ownership, 1200, 8000);
  ownership.settled('m', false, 8000);
  decideUntil(ownership, 8200, 9000, says(true));
  decideUntil(ownership, 9200, 12_000, says(false));
  decideUntil(ownership, 12_200, 17_000, says(true));
  expect(ownership.attended).toEqual(new Set(['m']));
  decideUntil(ownership, 17_200, 17_200, says(true));
  expect(ownership.attended).toEqual(new Set());
});

test('after a standstill of this machine, what a silent one said before ends no recording', () => {
  const ownership = nvr1();
  const attends = [{ id: 'm', token: 7, rank: 14, streaming: true }];
  ownership.hear({ machine: 'nvr2', capacity: 16, leaving: false, attends }, 100);
  decideUntil(ownership, 200, 4000);
  expect(ownership.attended).toEqual(new Set(['m']));
  ownership.decide(6000);
  expect(ownership.attended).toEqual(new Set(['m']));
});

/** nvr1 owns a monitor and gets no pictures of it, and hears the others. */
function ownerWithoutPictures(...others: readonly string[]) {
  const ownership = nvr1();
  ownership.learn({ id: 'm', owner: 'nvr1', token: 1 }, 0);
  ownership.caughtUp(1);
  const offers: { now: number; next: string }[] = [];
  return {
    ownership,
    offers,
    /** All changes are stored; nobody claims the monitor. @param recording the machines that record it provisionally. */
    play(from: number, until: number, recording: readonly string[] = []) {
      const attends = [{ id: 'm', token: 0, rank: 3, streaming: true }];
      for (let now = from; now <= until; now += 200) {
        for (const machine of others) {
          const attended = recording.includes(machine) ? attends : [];
          ownership.hear({ machine, capacity: 16, leaving: false, attends: attended }, now);
        }
        for (const { id, next, expected } of ownership.decide(now)) {
          if (next !== undefined) offers.push({ now, next });
          ownership.learn({ id, owner: 'nvr1', next, token: expected + 1 }, now);
          ownership.settled(id, true, now);
          ownership.caughtUp(expected + 1);
        }
      }
    },
  };
}

test('an owner that gets no pictures offers the monitor to another machine, once', () => {
  const { ownership, offers, play } = ownerWithoutPictures('nvr2');
  play(200, 60_000);
  // Half a minute after the other one was heard first; it never had pictures either.
  expect(offers).toEqual([{ now: 30_200, next: 'nvr2' }]);
  expect(ownership.attended).toEqual(new Set(['m']));
});

test('machines that took no offer, and record the monitor later, are asked again', () => {
  const { offers, play } = ownerWithoutPictures('nvr2', 'nvr3');
  play(200, 120_000);
  expect(offers.map(({ next }) => next).sort()).toEqual(['nvr2', 'nvr3']);
  const [first, second] = offers.splice(0);
  play(120_200, 121_000, ['nvr2', 'nvr3']);
  expect(offers).toEqual([{ now: 120_200, next: first?.next }]);

  // It did not claim it in time, and has no pictures any more.
  offers.splice(0);
  play(121_200, 140_000, [second?.next ?? '']);
  expect(offers.map(({ next }) => next)).toEqual([second?.next]);
});

test('of the machines that may take a monitor, one that records it already is asked first', () => {
  const places = ['nvr2', 'nvr3'].map((machine) => ({ machine, capacity: 16 }));
  for (const { machine } of byPreference(places, 'm')) {
    const { offers, play } = ownerWithoutPictures('nvr2', 'nvr3');
    play(200, 31_000, [machine]);
    expect(offers).toEqual([{ now: 30_200, next: machine }]);
  }
});

test('an owner of the past goes on until the present one has been heard to record for 5 s', () => {
  const ownership = nvr1();
  ownership.learn({ id: 'm', owner: 'nvr1', token: 1 }, 0);
  ownership.decide(100);
  ownership.learn({ id: 'm', owner: 'nvr2', token: 3 }, 200);
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const says = (token: number) => ({
    ...beat,
    attends: [{ id: 'm', token, rank: 2 * token, streaming: true }],
  });
  decideUntil(ownership, 300, 5300, says(0));
  expect(ownership.attended).toEqual(new Set(['m']));
  decideUntil(ownership, 5400, 5400, says(3));
  expect(ownership.attended).toEqual(new Set());
});

test('what an owner of the past sees counts less than what the present one sees', () => {
  const ownership = nvr1();
  ownership.learn({ id: 'm', owner: 'nvr1', token: 1 }, 0);
  ownership.learn({ id: 'm', owner: 'nvr1', token: 2, next: 'nvr2' }, 100);
  ownership.decide(100);
  ownership.learn({ id: 'm', owner: 'nvr2', token: 3 }, 200);
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const attends = [{ id: 'm', token: 3, rank: 6, streaming: true }];
  decideUntil(ownership, 300, 3000, { ...beat, attends });
  expect(ownership.tenures.of('m')).toEqual({ token: 2, provisional: false });
  expect(ownership.beat().attends).toMatchObject([{ id: 'm', token: 0, rank: 4 }]);
  // That one is silent: now this machine stands in for it, if it is not this one that is cut off.
  const other = { machine: 'nvr3', capacity: 16, leaving: false, attends: [] };
  decideUntil(ownership, 3200, 6400, other);
  expect(ownership.tenures.of('m')).toEqual({ token: 3, provisional: true });
  expect(ownership.beat().attends).toMatchObject([{ id: 'm', token: 0, rank: 7 }]);
  decideUntil(ownership, 6600, 7000, { ...beat, attends });
  expect(ownership.tenures.of('m')).toEqual({ token: 3, provisional: true });
  decideUntil(ownership, 7200, 11_000);
  expect(ownership.tenures.of('m')).toEqual({ token: 0, provisional: true });
});

test('what the owner before a planned move sees counts until it has ended', () => {
  const ownership = nvr1();
  ownership.setStreaming('m', true);
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const says = (token: number) => [{ id: 'm', token, rank: 4, streaming: true, next: 'nvr1' }];
  decideUntil(ownership, 100, 500, { ...beat, attends: says(2) });
  expect(ownership.tenures.of('m')).toEqual({ token: 0, provisional: true });
  ownership.learn({ id: 'm', owner: 'nvr1', token: 3 }, 600);
  decideUntil(ownership, 600, 5000, { ...beat, attends: says(0) });
  expect(ownership.beat().attends).toMatchObject([{ id: 'm', token: 3, rank: 0 }]);
  decideUntil(ownership, 5200, 5200, { ...beat, attends: [] });
  expect(ownership.beat().attends).toMatchObject([{ id: 'm', token: 3, rank: 6 }]);
});

test('whoever asks to become the owner goes on, because the one before may rely on it as soon as it is', () => {
  const ownership = nvr1();
  ownership.learn({ id: 'm', owner: 'nvr2', token: 7 }, 0);
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  const attends = [{ id: 'm', token: 7, rank: 14, streaming: true }];
  ownership.hear({ ...beat, attends }, 100);
  decideUntil(ownership, 200, 4000);
  decideUntil(ownership, 4200, 12_000, { ...beat, attends });
  expect(ownership.attended).toEqual(new Set(['m']));
  ownership.settled('m', false, 12_000);
  decideUntil(ownership, 12_200, 12_200, { ...beat, attends });
  expect(ownership.attended).toEqual(new Set());
});

test('a machine that leaves is relieved at once', () => {
  const ownership = nvr1();
  const beat = { machine: 'nvr2', capacity: 16, leaving: false };
  ownership.hear({ ...beat, attends: [{ id: 'm', token: 7, rank: 14, streaming: true }] }, 100);
  ownership.decide(200);
  ownership.hear({ ...beat, leaving: true, attends: [] }, 300);
  ownership.decide(300);
  expect(ownership.attended).toEqual(new Set(['m']));
});

test('alone, a machine records what nobody is heard to record, or waits if it is told to', () => {
  const [records, waits] = [nvr1(), nvr1({ withoutQuorum: 'wait' })];
  decideUntil(records, 200, 4200);
  decideUntil(waits, 200, 4200);
  expect(records.attended).toEqual(new Set(['m']));
  expect(waits.attended).toEqual(new Set());
  expect(waits.quorum.waitedFor(waits.alive(4200))).toEqual(['nvr2', 'nvr3']);
  const told = nvr1({ withoutQuorum: 'wait' });
  told.quorum.declareOff('nvr2');
  decideUntil(told, 200, 4200);
  expect(told.attended).toEqual(new Set());
  told.quorum.declareOff('nvr3');
  decideUntil(told, 4300, 4500);
  expect(told.attended).toEqual(new Set(['m']));
  expect(told.hasQuorum(4500)).toBe(false);
  told.hear({ machine: 'nvr2', capacity: 0, leaving: false, attends: [] }, 4600);
  expect(told.quorum.waitedFor(told.alive(4600))).toEqual([]);
  expect(told.quorum.waitedFor(told.alive(9000))).toEqual(['nvr2']);
  const stopped = nvr1({ withoutQuorum: 'wait' });
  for (const machine of ['nvr2', 'nvr3']) {
    stopped.hear({ machine, capacity: 16, leaving: true, attends: [] }, 100);
  }
  decideUntil(stopped, 200, 4200);
  expect(stopped.attended).toEqual(new Set(['m']));
  waits.hear({ machine: 'nvr3', capacity: 0, leaving: false, attends: [] }, 4300);
  waits.decide(4400);
  expect(waits.attended).toEqual(new Set(['m']));
});

test('a machine that does not reach the camera, or only votes, records nothing', () => {
  const far = nvr1({ monitors: () => [{ id: 'm', machines: ['nvr2'] }] });
  const tieBreaker = nvr1({ capacity: 0 });
  for (const ownership of [far, tieBreaker]) {
    decideUntil(ownership, 200, 10_000);
    expect(ownership.attended).toEqual(new Set());
  }
});
