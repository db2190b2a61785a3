import { describe, expect, test } from 'vitest';
import type {
  BoundingBox,
  DetectedBox,
} from '../../../../../actors/detectors/objects/picture/bounding-box.ts';
import { ObjectLifecycle } from '../../../../../actors/detectors/objects/tracking/object-lifecycle.ts';
import { Tracker } from '../../../../../actors/detectors/objects/tracking/tracker.ts';

const whole: BoundingBox = { left: 0, top: 0, right: 1, bottom: 1 };
const at = (x: number, y = 0.5, size = 0.1): BoundingBox => ({
  left: x - size / 2,
  top: y - size,
  right: x + size / 2,
  bottom: y + size,
});
const person = (x: number, score = 0.6, y = 0.5): DetectedBox => ({ label: 'person', score, box: at(x, y) });
const newTracker = () =>
  new Tracker({
    thresholds: new Map([
      ['person', 0.45],
      ['car', 0.45],
    ]),
    patienceUs: 2e6,
  });

/** Looks once in a fifth of a second, for the first time at `start`, in seconds. */
function watch(
  pictures: readonly (readonly DetectedBox[])[],
  tracker = newTracker(),
  looked = whole,
  start = 0,
) {
  let ids = 0;
  const objects = new ObjectLifecycle({
    renewalUs: 2e6,
    newObjectID: () => `object${ids++}`,
    newEventID: () => 'event',
  });
  const news = pictures.flatMap((detections, index) => {
    const timeUs = start * 1e6 + index * 200_000;
    const ended = tracker.update(timeUs, detections, looked);
    return objects.update(timeUs, tracker.tracks, ended);
  });
  return { tracker, news, told: news.map(({ kind, id }) => `${kind} ${id}`) };
}
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('a track', () => {
  test('is somebody once he is seen in two of three pictures', () => {
    expect(watch([[person(0.5)], [], []]).tracker.tracks).toEqual([]);
    expect(watch([[person(0.5)], [], [], [person(0.5)], [], []]).told).toEqual([]);
    expect(watch([[person(0.5)], [person(0.5)]]).told).toEqual(['appeared object0']);
    expect(watch([[person(0.5)], [], [person(0.5)]]).told).toEqual(['appeared object0']);
  });

  test('is not begun by what is below the threshold, but goes on with it', () => {
    expect(watch(times(5, () => [person(0.5, 0.4)])).told).toEqual([]);
    const { tracker, told } = watch([
      [person(0.5)],
      [person(0.51)],
      ...times(8, (n) => [person(0.51 + n / 100, 0.3)]),
    ]);
    expect(told).toEqual(['appeared object0']);
    expect(tracker.tracks[0]?.detection?.score).toBe(0.3);
  });

  test('follows one who walks, and is over when he is gone', () => {
    const { told, news } = watch([...times(20, (n) => [person(0.1 + n * 0.04)]), ...times(15, () => [])]);
    expect(told.filter((one) => !one.startsWith('moving'))).toEqual(['appeared object0', 'gone object0']);
    expect(news.at(-1)).toMatchObject({ beginUs: 0, seenUs: 3_800_000 });
  });

  test('bridges a lamp post', () => {
    const { told } = watch(times(30, (n) => (n > 12 && n < 17 ? [] : [person(0.1 + n * 0.025)])));
    expect(told.filter((one) => one.startsWith('appeared'))).toEqual(['appeared object0']);
  });

  test('follows one who is so quick that his places do not overlap', () => {
    const { told } = watch(times(8, (n) => [person(0.1 + n * 0.11)]));
    expect(told.filter((one) => one.startsWith('appeared'))).toHaveLength(1);
  });

  test('keeps two apart who pass each other', () => {
    const tracker = newTracker();
    watch(
      times(20, (n) => [person(0.2 + n * 0.03, 0.6, 0.5), person(0.8 - n * 0.03, 0.6, 0.55)]),
      tracker,
    );
    expect(tracker.tracks).toHaveLength(2);
    const [first, second] = tracker.tracks;
    // The first one has gone to the right.
    expect(first?.box.left).toBeGreaterThan(0.7);
    expect(second?.box.left).toBeLessThan(0.25);
  });

  test('takes no detection of another label', () => {
    const car = { ...person(0.5), label: 'car' };
    expect(watch([[person(0.5)], [car], [person(0.5)], [car]]).told).toEqual([
      'appeared object0',
      'appeared object1',
    ]);
  });

  test('that is parked is not over because nobody looked there', () => {
    const tracker = newTracker();
    const elsewhere = { left: 0.6, top: 0, right: 1, bottom: 1 };
    watch(
      times(60, () => [person(0.2)]),
      tracker,
    );
    watch(
      times(100, () => []),
      tracker,
      elsewhere,
      12,
    );
    expect(tracker.tracks).toHaveLength(1);
  });

  test('that moved is over in the end, also when nobody looked there, and at once when it has walked out', () => {
    const tracker = newTracker();
    const walk = times(6, (n) => [person(0.7 + n * 0.05)]);
    watch(walk, tracker);
    watch(
      times(40, () => []),
      tracker,
      { left: 0, top: 0, right: 0.5, bottom: 1 },
      1.2,
    );
    expect(tracker.tracks).toHaveLength(0);
    watch([...walk, ...times(12, () => [])], tracker, whole, 20);
    expect(tracker.tracks).toHaveLength(0);
  });

  test('holds a bounded number of objects', () => {
    const crowd = times(300, (n) => person((n % 20) / 20, 0.6, Math.floor(n / 20) / 20));
    expect(watch([crowd]).tracker.tracks.length).toBeLessThanOrEqual(128);
  });
});

describe('an object', () => {
  test('that moves is reported again from time to time', () => {
    expect(watch(times(40, (n) => [person(0.1 + n * 0.02)])).told).toEqual([
      'appeared object0',
      'moving object0',
      'moving object0',
      'moving object0',
    ]);
  });

  test('that is parked is reported no more, also when it is overlooked for a minute', () => {
    const parked = times(60, (n) => [person(0.5 + (n % 2) / 500)]);
    const { told } = watch([...parked, ...times(300, () => []), ...parked, ...parked]);
    expect(told.filter((one) => one.startsWith('appeared'))).toHaveLength(1);
    expect(told.filter((one) => one.startsWith('gone'))).toHaveLength(0);
    // Only until it was clear that it stands.
    expect(told.length).toBeLessThan(6);
  });

  test('that is seen weakly when its next report is due is reported once it is seen well', () => {
    const walk = (scores: number[]) => scores.map((score, n) => [person(0.1 + n * 0.02, score)]);
    const { news } = watch(walk([...times(5, () => 0.6), ...times(15, () => 0.3), ...times(5, () => 0.5)]));
    expect(news.map(({ kind, score, seenUs }) => [kind, score, seenUs])).toEqual([
      ['appeared', 0.6, 200_000],
      ['moving', 0.5, 4_000_000],
    ]);
  });

  test('that was parked and drives off is reported at once', () => {
    const still = times(100, () => [person(0.3)]);
    const before = watch(still).told.length;
    const after = watch([...still, ...times(10, (n) => [person(0.3 + n * 0.03)])]).told;
    expect(after.length).toBeGreaterThan(before);
    expect(after.at(-1)).toBe('moving object0');
  });

  test('that is there when nobody looks any more counts as parked, one that was not is gone', () => {
    const tracker = newTracker();
    watch([...times(3, () => [person(0.2), person(0.8)]), [person(0.2)]], tracker);
    expect(tracker.rest().map(({ box }) => box.left > 0.5)).toEqual([true]);
    expect(tracker.tracks.map(({ parked }) => parked)).toEqual([true]);
  });

  test('that is parked lives on when it is hidden as the looking ends, and as it begins again hours later', () => {
    const tracker = newTracker();
    const parked = times(60, () => [person(0.5)]);
    const hidden = times(10, () => []);
    watch([...parked, ...hidden], tracker);
    const hours = 3 * 60 * 60;
    for (const round of [0, 1, 2]) {
      expect(tracker.rest()).toEqual([]);
      expect(watch(hidden, tracker, whole, (round + 1) * hours).tracker.tracks).toHaveLength(1);
    }
    const ended = times(60 * 11, (second) => tracker.update((4 * hours + second) * 1e6, [], whole)).flat();
    expect(ended).toHaveLength(1);
  });

  test('that is parked and hidden only after hours at rest lives on', () => {
    const tracker = newTracker();
    const parked = times(60, () => [person(0.5)]);
    watch(parked, tracker);
    tracker.rest();
    watch([...times(10, () => []), ...parked], tracker, whole, 60 * 60);
    expect(tracker.tracks.map(({ beginUs, parked }) => [beginUs, parked])).toEqual([[0, true]]);
  });
});
