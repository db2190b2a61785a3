import { expect, test } from 'vitest';
import { type Model, openModel } from '../../../../actors/detectors/objects/models/model.ts';
import {
  ObjectLifecycle,
  type ObjectUpdate,
} from '../../../../actors/detectors/objects/tracking/object-lifecycle.ts';
import { Tracker } from '../../../../actors/detectors/objects/tracking/tracker.ts';
import type { Clip } from '../../../support/clips.ts';
import { picturesOf } from '../../../support/pictures.ts';
import { peopleOnTheStreet } from './street.ts';

const rate = 5;
const thresholds = new Map([
  ['person', 0.45],
  ['car', 0.45],
]);
const wanted = new Map([...thresholds].map(([label, least]) => [label, least * 0.6]));
const whole = { left: 0, top: 0, right: 1, bottom: 1 };

/** How long a recording goes on after an event, in seconds. */
const duration = 10;

/** Follows what is seen in a clip. @param look is called after each picture with the people followed in it. */
async function follow(
  name: Clip,
  size: { width: number; height: number },
  look: (time: number, people: number, news: readonly ObjectUpdate[]) => void,
) {
  const model: Model = await openModel({ kind: 'default', name: 'default' });
  const tracker = new Tracker({ thresholds, patienceUs: 2e6 });
  let ids = 0;
  const objects = new ObjectLifecycle({
    renewalUs: (duration / 2) * 1e6,
    newObjectID: () => `${ids++}`,
    newEventID: () => '',
  });
  const appeared: string[] = [];
  for await (const picture of picturesOf(name, { ...size, rate })) {
    const detections = await model.look(picture, { x: 0, y: 0, ...size }, wanted);
    const ended = tracker.update(picture.time * 1e6, detections, whole);
    const news = objects.update(picture.time * 1e6, tracker.tracks, ended);
    appeared.push(...news.filter(({ kind }) => kind === 'appeared').map(({ label }) => label));
    const people = tracker.tracks.filter(
      ({ label, confirmed, detection }) => label === 'person' && confirmed && detection,
    );
    look(picture.time, people.length, news);
  }
  return appeared;
}

test('people on a street are followed from one end to the other', { timeout: 120_000 }, async () => {
  let [covered, seconds, followed] = [0, 0, 0];
  const events: ObjectUpdate[] = [];
  const times: number[] = [];
  const appeared = await follow('vtest.avi', { width: 640, height: 480 }, (time, people, news) => {
    const published = news.filter(({ kind }) => kind !== 'gone');
    events.push(...published);
    if (published.length > 0) times.push(time);
    const counted = Number.isInteger(time) ? peopleOnTheStreet[time] : undefined;
    if (counted === undefined || counted === 0) return;
    seconds += 1;
    if (people > 0) covered += 1;
    followed += Math.min(people, counted);
  });
  expect(seconds).toBe(80);
  expect(covered / seconds).toBeGreaterThanOrEqual(0.95);
  expect(followed / peopleOnTheStreet.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(0.85);
  // All of it is one recording, and each event is at the threshold at least.
  const pauses = [...times, 80].map((time, index) => time - (times[index - 1] ?? 0));
  expect(Math.max(...pauses)).toBeLessThan(duration);
  expect(Math.min(...events.map(({ score }) => score))).toBeGreaterThanOrEqual(0.45);
  // About forty people walk by, and the van and the car behind it never move.
  expect(appeared.filter((label) => label === 'person').length).toBeLessThan(55);
  expect(appeared.filter((label) => label === 'car').length).toBeLessThanOrEqual(3);
});

test('a tree in the wind is nobody', { timeout: 60_000 }, async () => {
  expect(await follow('tree.mp4', { width: 320, height: 240 }, () => {})).toEqual([]);
});
