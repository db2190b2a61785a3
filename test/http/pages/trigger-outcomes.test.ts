import { describe, expect, test, vi } from 'vitest';
import { motionOutcomes } from '../../../http/pages/app/settings/triggers/motion-outcomes.ts';
import { objectOutcomes } from '../../../http/pages/app/settings/triggers/object-outcomes.ts';
import { collectEvents } from '../../../http/pages/app/settings/triggers/stored-events.ts';
import type { PageEvent, TriggerOutcome } from '../../../http/pages/app/settings/triggers/trigger-outcome.ts';
import type { JsonObject } from '../../../store/base/json.ts';

// The language and the base path are read from them.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => 'en' });
  vi.stubGlobal('document', { querySelector: () => null });
});

/** An event so many seconds after the beginning. */
function event(seconds: number, ...detections: PageEvent['detections']): PageEvent {
  return { id: `e${seconds}`, time: seconds * 1e6, recording: null, snapshot: true, detections };
}

/** Label, number of triggers, how many of them stay, and how certain that is. */
const summary = (outcomes: readonly TriggerOutcome[]) =>
  outcomes.map(({ label, triggers, certainty }) => [
    ...[label, triggers.length, triggers.filter(({ stays }) => stays).length],
    certainty,
  ]);

describe('objects', () => {
  const left = { x: 0, y: 0, width: 200_000, height: 200_000 };
  const right = { x: 800_000, y: 0, width: 200_000, height: 200_000 };
  const person = (score: number, object: string, box = left) => ({ label: 'person', score, object, box });
  const events = [
    event(90, person(55, 'b', right)),
    event(60, { label: 'car', score: 80, object: 'c', box: right }),
    event(40, person(85, 'a')),
    event(10, person(60, 'a')),
  ];
  const saved = {
    enable: true,
    feedRate: 2,
    thresholds: { person: 50, car: 50 },
    mask: { enable: false, area: [] },
  };
  const become = (change: JsonObject, before: JsonObject = saved) =>
    summary(objectOutcomes(events, before, { ...before, ...change }));

  test('are counted once each, however many events are about them', () => {
    expect(become({ duration: 99 })).toEqual([
      ['car', 1, 1, 'exact'],
      ['person', 2, 2, 'exact'],
    ]);
    expect(objectOutcomes(events, saved, saved)[1]?.triggers.map(({ event: { id } }) => id)).toEqual([
      'e90',
      'e10',
    ]);
  });

  test('stay if one of their scores reaches the new threshold', () => {
    expect(become({ thresholds: { person: 85, car: 50 } })).toEqual([
      ['car', 1, 1, 'exact'],
      ['person', 2, 1, 'least'],
    ]);
    expect(become({ thresholds: { person: 30 } })).toEqual([
      ['car', 1, 0, 'exact'],
      ['person', 2, 2, 'least'],
    ]);
  });

  test('whose middle is in the new mask go', () => {
    const area = [
      [700_000, 0],
      [1_000_000, 0],
      [1_000_000, 1_000_000],
      [700_000, 1_000_000],
    ];
    expect(become({ mask: { enable: true, area } })).toEqual([
      ['car', 1, 0, 'least'],
      ['person', 2, 1, 'least'],
    ]);
    expect(become({ mask: { enable: false, area } })).toEqual(become({}));
  });

  test('of which nothing was stored cannot be known', () => {
    expect(become({ thresholds: { ...saved.thresholds, dog: 50 } })[1]).toEqual(['dog', 0, 0, 'unknown']);
    expect(become({ thresholds: { person: null, car: 50 } })[1]).toEqual(['person', 2, 0, 'unknown']);
    expect(become({ detectorName: 'other' }).map((row) => row[3])).toEqual(['unknown', 'unknown']);
    expect(become({ enable: true }, { ...saved, enable: false })[0]?.[3]).toBe('unknown');
    expect(become({ enable: false })).toEqual([
      ['car', 1, 0, 'exact'],
      ['person', 2, 0, 'exact'],
    ]);
  });
});

describe('motion', () => {
  const square = (size: number) => [
    [0, 0],
    [size, 0],
    [size, size],
  ];
  const zone = (size: number, more: JsonObject = {}) => ({
    ...{ enable: true, sensitivity: 8, thresholdMin: 1, thresholdMax: 100, area: square(size) },
    ...more,
  });
  const motion = (...zones: JsonObject[]) => ({ enable: true, feedRate: 2, duration: 30, zones });
  const moved = (score: number, index = 0) => ({ label: `zone${index}`, score });
  const events = [
    event(100, moved(5)),
    event(80, moved(20), moved(3, 1)),
    event(60, moved(4)),
    event(10, moved(2)),
  ];
  const become = (before: JsonObject, after: JsonObject | undefined) =>
    summary(motionOutcomes(events, before, after));
  const two = motion(zone(10), zone(20));

  test('without a pause of more than 30 seconds is counted once, and shown where it was most', () => {
    expect(become(two, two)).toEqual([
      ['zone0', 2, 2, 'exact'],
      ['zone1', 1, 1, 'exact'],
    ]);
    const [first] = motionOutcomes(events, two, two);
    expect(first?.triggers.map(({ event: { id } }) => id)).toEqual(['e80', 'e10']);
  });

  test.each([
    ['higher', { thresholdMin: 2 }, 1, 'exact'],
    ['below all', { thresholdMin: 0.5 }, 2, 'least'],
    ['with a lower limit', { thresholdMax: 4 }, 1, 'exact'],
    ['of a zone that is off', { enable: false }, 0, 'exact'],
    ['of more sensitive pixels', { sensitivity: 4 }, 0, 'unknown'],
    ['in another area', { area: square(11) }, 0, 'unknown'],
    ['that is no number', { thresholdMin: null }, 2, 'unknown'],
  ])('with a threshold %s', (_, change, count, certainty) => {
    expect(become(two, motion(zone(10, change), zone(20)))[0]).toEqual(['zone0', 2, count, certainty]);
  });

  test('of the whole zone stays where the limit is 100', () => {
    const whole = [event(10, moved(100))];
    const stay = (thresholdMax: number) =>
      motionOutcomes(whole, two, motion(zone(10, { thresholdMax }), zone(20)))[0]?.triggers[0]?.stays;
    expect([stay(100), stay(99)]).toEqual([true, false]);
  });

  test('where the limit is raised is known in part only', () => {
    const limited = motion(zone(10, { thresholdMax: 30 }));
    expect(become(limited, motion(zone(10)))).toEqual([['zone0', 2, 2, 'least']]);
  });

  test('at another rate, or in a zone that was off or not there, cannot be known', () => {
    expect(become(two, { ...two, feedRate: 5 }).map((row) => row[3])).toEqual(['unknown', 'unknown']);
    expect(become(two, motion(zone(10), zone(20), zone(30)))[2]).toEqual(['zone2', 0, 0, 'unknown']);
    expect(become(motion(zone(10, { enable: false })), motion(zone(10)))[0]?.[3]).toBe('unknown');
  });

  test('of a zone that moved up belongs to it, and that of a removed one is gone', () => {
    const outcomes = motionOutcomes(events, two, motion(zone(20)));
    expect(summary(outcomes)).toEqual([
      ['zone0', 1, 1, 'exact'],
      ['zone0', 2, 0, 'exact'],
    ]);
    expect(outcomes.map(({ isRemoved }) => isRemoved)).toEqual([false, true]);
    expect(become(two, { ...two, enable: false }).map((row) => row[2])).toEqual([0, 0]);
    expect(become(two, undefined).map((row) => row[2])).toEqual([0, 0]);
  });
});

describe('stored events', () => {
  const many = (count: number, first: number) => Array.from({ length: count }, (_, k) => event(first - k));

  test('are fetched page by page, each once', async () => {
    const all = many(1200, 5000);
    const ask = async (end = Number.POSITIVE_INFINITY) => all.filter(({ time }) => time < end).slice(0, 500);
    const found = await collectEvents(ask, 7);
    expect([found.events.length, found.since, found.isPart]).toEqual([1200, 7, false]);
  });

  test('are at most so many, and complete from a time on', async () => {
    const ends: (number | undefined)[] = [];
    const found = await collectEvents(async (end) => {
      ends.push(end);
      return many(500, end === undefined ? 1e6 : Math.ceil(end / 1e6) - 1);
    }, 7);
    expect([ends.length, found.isPart, found.since]).toEqual([
      40,
      true,
      (found.events.at(-1)?.time ?? 0) + 1,
    ]);
  });
});
