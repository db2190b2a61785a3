import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { decoded } from '../../../support/numbered-decoder.ts';
import {
  type SentPicture,
  WatchedCamera,
  type WatchedCameraOptions,
} from '../../../support/watched-camera.ts';

vi.mock('../../../../pipelines/gstreamer/gstreamer.ts', () => import('../../../support/numbered-decoder.ts'));
// Turns take real time, and hours of pictures come in seconds here.
vi.mock('../../../../pipelines/frames/sleep/catch-up.ts', () => ({
  catchUp: (begin: () => void) => Promise.resolve(begin()),
}));

const perSecond = 10;
const perGroup = 20;
const keyBytes = 20_000;
const usualBytes = 100;

beforeEach(() => decoded.reset());

/** A camera whose quiet P-frames are steady: it falls asleep after some seconds where it may. */
function watching(options: Partial<WatchedCameraOptions> = {}, group = perGroup) {
  const camera = new WatchedCamera({ picturesPerSecond: perSecond, rate: 5, sleep: true, ...options });
  let random = 7;
  const picture = (moreBytes: number, position: number): SentPicture => {
    random = (random * 16_807) % 2_147_483_647;
    if (position % group === 0) return { kind: 'key', bytes: keyBytes };
    const scatter = Math.round((random / 2_147_483_647 - 0.5) * 16);
    return { kind: 'picture', bytes: usualBytes + moreBytes + scatter };
  };
  let position = 0;
  const play = (seconds: number, moreBytes = 0) =>
    camera.send(
      Array.from({ length: Math.round(seconds * perSecond) }, () => picture(moreBytes, position++)),
    );
  return { camera, play };
}

const isKey = (number: number) => number % perGroup === 0;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('asleep, nothing but key frames crosses the bus, once a group', async () => {
  const { camera, play } = watching();
  await play(60);
  expect(camera.counts).toMatchObject({ isAsleep: true });
  const { asleepUs = 0 } = camera.counts ?? {};
  const before = camera.crossed.length;
  await play(60);
  const crossed = camera.crossed.slice(before);
  expect(crossed.map(({ pictures }) => pictures)).toEqual(
    range(600, 1200)
      .filter(isKey)
      .map((key) => [key]),
  );
  expect(camera.counts).toMatchObject({ isAsleep: true, wakes: 0, missed: 0 });
  expect(((camera.counts?.asleepUs ?? 0) - asleepUs) / 1e6).toBeCloseTo(60);
  expect(decoded.broken).toEqual([]);
});

test.each([0, 1, 5])(
  'woken up by sizes %i pictures late on their way, it sees the motion from its beginning',
  async (delay) => {
    const began = 606;
    const camera = watching({ delay, moves: (_, now) => now >= began && now < began + 20 });
    await camera.play(60.6);
    const before = camera.camera.crossed.length;
    await camera.play(0.3, 65);
    // Three pictures are larger: that is said at once, and what was passed over comes in one message.
    await camera.play((delay + 1) / perSecond, 65);
    expect(
      camera.camera.crossed.slice(before, before + 2 + Number(delay > 2)).map(({ pictures }) => pictures),
    ).toEqual([[], ...(delay > 2 ? [[]] : []), range(600, 608 + Math.max(1, delay))]);
    await camera.play(1.7 - (delay + 1) / perSecond, 65);
    await camera.play(20);
    expect(camera.camera.found).toEqual(range(began, began + 20).filter((number) => number % 2 === 0));
    expect(camera.camera.counts).toMatchObject({ isAsleep: true, wakes: 1, missed: 0 });
    expect(decoded.broken).toEqual([]);
  },
);

test.each([0, 1, 5])(
  'motion that only two key frames show is looked at again, %i pictures late on their way',
  async (delay) => {
    const camera = watching({ delay, moves: (before, now) => now > 611 && before < 640 });
    await camera.play(62 + (1 + delay) / perSecond);
    await camera.play(5);
    expect(camera.camera.found).toEqual(range(612, 642).filter((number) => number % 2 === 0));
    expect(camera.camera.counts).toMatchObject({ isAsleep: false, wakes: 1, missed: 1 });
    expect(decoded.broken).toEqual([]);
  },
);

test('motion that key frames show is published also if the camera connects anew before it can be looked at again', async () => {
  const { camera, play } = watching({ delay: 5, moves: (before, now) => before < 620 && now > 611 });
  await play(62.2);
  expect(camera.found).toEqual([]);
  camera.reconnect();
  await play(10);
  expect(camera.found).toEqual([620]);
  expect(decoded.broken).toEqual([]);
});

test('and if it connects anew while the decoder is still at it', async () => {
  const { camera, play } = watching({ delay: 5, moves: (before, now) => before < 620 && now > 611 });
  await play(62.2);
  // Nothing of what it is given again is shown in time.
  decoded.late = 30;
  await play(0.5);
  expect(decoded.numbers.slice(-3)).toEqual([624, 625, 626]);
  decoded.late = 0;
  camera.reconnect();
  await play(10);
  expect(camera.found).toEqual([620]);
});

test('and if they are shown when the group before is not kept any more', async () => {
  const { camera, play } = watching({ moves: (before, now) => before < 620 && now > 611 });
  await play(60.5);
  decoded.late = 1;
  await play(4);
  decoded.late = 0;
  await play(10);
  expect(camera.found).toEqual([620]);
  expect(decoded.broken).toEqual([]);
});

test('whatever is lost on the bus, and however late a wish is heard, no picture is decoded without those before it', async () => {
  const moments = fc.array(
    fc.record({ seconds: fc.integer({ min: 1, max: 60 }), moreBytes: fc.constantFrom(0, 0, 65, 400) }),
    { minLength: 3, maxLength: 5 },
  );
  const ways = fc.record({ delay: fc.nat(4), lost: fc.array(fc.nat(300)), isShown: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(moments, ways, async (parts, { delay, lost, isShown }) => {
      decoded.reset();
      const moving: [number, number][] = [];
      const moves = (before: number, now: number) =>
        isShown && moving.some(([first, end]) => now >= first && before < end);
      const { camera, play } = watching({ delay, moves, isLost: (message) => lost.includes(message) });
      for (const { seconds, moreBytes } of parts) {
        if (moreBytes > 0) moving.push([camera.next, camera.next + 20]);
        await play(2, moreBytes);
        await play(seconds);
      }
      camera.end();
      expect(decoded.broken).toEqual([]);
    }),
    { numRuns: 6 },
  );
});

test('a detector of few frames gets key frames alone, and what follows one when the next is late', async () => {
  const { camera, play } = watching({ rate: 0.5, sleep: undefined });
  await play(60);
  expect(camera.crossed.slice(-5).map(({ pictures }) => pictures)).toEqual([
    [500],
    [520],
    [540],
    [560],
    [580],
  ]);
  expect(camera.frames.slice(-5)).toEqual([500, 520, 540, 560, 580]);
  const bytes = camera.crossed.slice(-5).map(({ bytes }) => bytes);
  expect(Math.max(...bytes)).toBeLessThan(keyBytes + 1000);
  // The next key frame comes after ten seconds: frames are made meanwhile, as often as before.
  await camera.send(Array<SentPicture>(100).fill({ kind: 'picture', bytes: usualBytes }));
  const late = camera.frames.filter((number) => number >= 580);
  expect(late.length).toBeGreaterThanOrEqual(5);
  expect(decoded.broken).toEqual([]);
});

test('a detector that needs more frames after all goes on where the key frame was', async () => {
  const { camera, play } = watching();
  await play(60.5);
  const other = camera.open(5);
  await play(0.1);
  expect(camera.crossed.at(-1)?.pictures.slice(0, 5)).toEqual([601, 602, 603, 604, 605]);
  await play(4);
  expect(decoded.broken).toEqual([]);
  other.end();
  await play(4);
  expect(camera.crossed.at(-1)?.pictures).toEqual([680]);
});

test.each([
  ['enough for it', 0.5, true],
  ['more than it asks for now', 5, false],
])('it sleeps beside a detector where key frames are %s', async (_, rate, isAsked) => {
  const { camera, play } = watching();
  camera.open(rate, isAsked);
  await play(60);
  expect(camera.counts).toMatchObject({ isAsleep: true, refused: null });
  expect(camera.crossed.slice(-2).map(({ pictures }) => pictures)).toEqual([[560], [580]]);
  camera.open(1);
  await play(2.5);
  expect(camera.counts).toMatchObject({ isAsleep: false, wakes: 0, refused: 'frames' });
  expect(camera.crossed.at(-1)?.pictures).not.toEqual([620]);
  expect(decoded.broken).toEqual([]);
});

test('pictures that come in another order than they are shown never let it sleep', async () => {
  const { camera } = watching();
  const group = range(0, 20).map((n): SentPicture => {
    if (n === 0) return { kind: 'key', bytes: keyBytes };
    return { kind: 'picture', bytes: usualBytes, shownLater: n === 19 ? 0 : n % 3 === 1 ? 2 : -1 };
  });
  for (let n = 0; n < 30; n += 1) await camera.send(group);
  expect(camera.counts).toMatchObject({ isAsleep: false, asleepUs: 0, refused: 'delay' });
  expect(camera.crossed.flatMap(({ pictures }) => pictures)).toEqual(range(0, 600));
});

test('after a time that went back once it sleeps again, ten key frames later', async () => {
  const { camera, play } = watching();
  const usual = { kind: 'picture', bytes: usualBytes } as const;
  await play(6);
  await camera.send([{ kind: 'key', bytes: keyBytes }, usual, { ...usual, shownLater: -2 }]);
  await play(1.8);
  await play(16);
  expect(camera.counts).toMatchObject({ isAsleep: false, refused: 'delay' });
  await play(30);
  expect(camera.counts).toMatchObject({ isAsleep: true, refused: null });
  expect(decoded.broken).toEqual([]);
});

test('slices of a key frame that come later are decoded with it, once, asleep as well', async () => {
  const { camera } = watching();
  const group = (moreBytes = 0): SentPicture[] => [
    { kind: 'key', bytes: keyBytes },
    { kind: 'continued', bytes: 5000 },
    ...range(0, 19).flatMap((n): SentPicture[] => [
      { kind: 'picture', bytes: usualBytes + (n % 3) * 5 + moreBytes },
      { kind: 'continued', bytes: usualBytes },
    ]),
  ];
  for (let n = 0; n < 30; n += 1) await camera.send(group());
  expect(camera.counts).toMatchObject({ isAsleep: true });
  expect(camera.crossed.slice(-2).map(({ pictures }) => pictures)).toEqual([[1160], [1161]]);
  expect(decoded.numbers.slice(-4)).toEqual([1120, 1121, 1160, 1161]);
  await camera.send(group(65));
  expect(camera.counts).toMatchObject({ isAsleep: false, wakes: 1 });
  const ofGroup = decoded.numbers.slice(decoded.numbers.indexOf(1200));
  expect(ofGroup).toEqual(range(1200, 1200 + ofGroup.length));
  expect(ofGroup.length).toBeGreaterThan(30);
  expect(decoded.broken).toEqual([]);
});

test('a camera that sends no more key frames is decoded whole after four seconds, and one that sends them again sleeps again', async () => {
  const { camera, play } = watching();
  await play(60.5);
  // It refreshes parts of each picture instead, for minutes.
  await camera.send(Array<SentPicture>(800).fill({ kind: 'picture', bytes: 1000 }));
  expect(camera.counts).toMatchObject({ isAsleep: false, wakes: 1 });
  expect(decoded.numbers.slice(decoded.numbers.indexOf(600))).toEqual(range(600, 1405));
  await play(1.5);
  await play(80);
  expect(camera.counts).toMatchObject({ isAsleep: true });
  expect(decoded.broken).toEqual([]);
});

test('more pictures than are kept: decoding goes on with the next key frame', async () => {
  const { camera, play } = watching({ rate: 0.02, sleep: undefined }, 500);
  await play(250);
  const before = camera.crossed.length;
  // More than are kept, before the next key frame is late.
  await camera.send(Array<SentPicture>(300).fill({ kind: 'picture', bytes: 150_000 }));
  camera.open(5);
  await play(10);
  await play(60);
  expect(camera.crossed.slice(before).length).toBeGreaterThan(0);
  expect(decoded.broken).toEqual([]);
});

test('sizes that jump wake it up, and it stays awake while motion would not show in them', async () => {
  const { camera, play } = watching();
  await play(60.5);
  let random = 11;
  const night = range(0, 700).map((n): SentPicture => {
    random = (random * 16_807) % 2_147_483_647;
    return n % 20 === 15
      ? { kind: 'key', bytes: keyBytes }
      : { kind: 'picture', bytes: 1000 + (random % 1500) };
  });
  await camera.send(night);
  expect(camera.counts).toMatchObject({ isAsleep: false, refused: 'noise' });
  const last = decoded.numbers.slice(-300);
  expect(last).toEqual(range(last[0] ?? 0, (last[0] ?? 0) + 300));
  expect(decoded.broken).toEqual([]);
});

test('key frames that are ten seconds apart: motion detection decodes all, a detector that needs few frames only those', async () => {
  const [motion, few] = [watching({}, 100), watching({ rate: 0.1, sleep: undefined }, 100)];
  await motion.play(90);
  await few.play(90);
  expect(motion.camera.counts).toMatchObject({ isAsleep: false, asleepUs: 0, refused: 'groups' });
  expect(motion.camera.crossed.flatMap(({ pictures }) => pictures)).toEqual(range(0, 899));
  expect(few.camera.crossed.slice(-2).map(({ pictures }) => pictures)).toEqual([[700], [800]]);
  expect(decoded.broken).toEqual([]);
});

test('another connection begins with everything, and sleeps when it may', async () => {
  const { camera, play } = watching();
  await play(60.5);
  const before = camera.crossed.length;
  camera.reconnect();
  await play(3.5);
  expect(camera.crossed.slice(before).flatMap(({ pictures }) => pictures)).toEqual(range(620, 639));
  await play(20);
  expect(camera.counts).toMatchObject({ isAsleep: true });
  expect(camera.crossed.at(-1)?.pictures).toHaveLength(1);
  expect(decoded.broken).toEqual([]);
});
