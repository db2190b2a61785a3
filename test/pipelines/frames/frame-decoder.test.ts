import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { FrameDecoder } from '../../../pipelines/frames/frame-decoder.ts';

const picturesPerSecond = 10;
const ticks = 90_000 / picturesPerSecond;

/** A decoder that shows each picture at once, or those before the last `held` ones. */
const gstreamer = vi.hoisted(() => ({
  ...{ held: 0, opened: 0, isBroken: false, decodedNs: [] as number[] },
  /** How much may wait for it, as it was with each picture. */
  ...{ mostNs: 0, mostsNs: [] as number[] },
}));

vi.mock('../../../pipelines/gstreamer/gstreamer.ts', () => ({
  Pipeline: class {
    readonly #waiting: number[] = [];
    #show: (packet: Buffer) => void = () => {};

    constructor() {
      gstreamer.opened += 1;
    }

    play(listener: (message: { type: 'error'; text: string }) => void) {
      if (gstreamer.isBroken) queueMicrotask(() => listener({ type: 'error', text: 'no decoder' }));
    }
    set(_: string, property: string, value: number) {
      if (property === 'max-time') gstreamer.mostNs = value;
    }
    close() {}

    pull(_: string, show: (packet: Buffer) => void) {
      this.#show = show;
      const caps = Buffer.from('video/x-raw, width=(int)4, height=(int)1');
      show(gdp(2, caps, 0));
      return new Promise(() => {});
    }

    push(_: string, __: Buffer, timeNs: number) {
      if (gstreamer.isBroken) return;
      gstreamer.decodedNs.push(timeNs);
      gstreamer.mostsNs.push(gstreamer.mostNs);
      this.#waiting.push(timeNs);
      if (this.#waiting.length > gstreamer.held)
        this.#show(gdp(1, Buffer.alloc(4), this.#waiting.shift() ?? 0));
    }
  },
}));

/** A packet of the GStreamer Data Protocol. */
function gdp(type: number, payload: Buffer, timeNs: number): Buffer {
  const header = Buffer.alloc(62);
  header.writeUInt16BE(type, 4);
  header.writeUInt32BE(payload.length, 6);
  header.writeBigUInt64BE(BigInt(Math.round(timeNs)), 10);
  return Buffer.concat([header, payload]);
}

/**
 * Decodes groups of so many pictures each.
 *
 * @returns when the pictures that were decoded, and the frames, were taken, in seconds
 */
function decode(rate: number, groups: readonly number[], held = 0) {
  gstreamer.held = held;
  gstreamer.decodedNs = [];
  const frames: number[] = [];
  const decoder = new FrameDecoder({
    rates: [['gray', rate]],
    clock: { at: (mediaUs) => mediaUs },
    onFrame: ({ timeUs }) => frames.push(timeUs / 1e6),
    onFailure: expect.fail,
  });
  decoder.setWanted(new Set(['gray']));
  let picture = 0;
  for (const length of groups) {
    for (let index = 0; index < length; index += 1) {
      const time = picture * ticks;
      decoder.push({
        ...{ codec: 'h264', time, keyFrame: index === 0, continues: false },
        data: Buffer.from('0000000165', 'hex'),
      });
      picture += 1;
    }
  }
  decoder.close();
  return { decoded: gstreamer.decodedNs.map((ns) => ns / 1e9), frames };
}

const seconds = (count: number) => Array<number>(count).fill(picturesPerSecond);
const after = (moment: number, times: readonly number[]) => times.filter((time) => time >= moment);

test('one picture a frame is decoded where key frames come as often as frames are wanted', () => {
  const { decoded, frames } = decode(0.5, seconds(20));
  expect(after(6, decoded)).toEqual([6, 8, 10, 12, 14, 16, 18]);
  expect(after(6, frames)).toEqual([6, 8, 10, 12, 14, 16, 18]);
  expect(after(5, decode(1, seconds(10)).decoded)).toEqual([5, 6, 7, 8, 9]);
});

test('all pictures are decoded where more frames are wanted, or every one', () => {
  expect(decode(5, seconds(10)).decoded).toHaveLength(100);
  expect(decode(0, seconds(10)).decoded).toHaveLength(100);
  expect(decode(0.5, Array<number>(10).fill(30)).decoded).toHaveLength(300);
});

test('a key frame that is late is not waited for', () => {
  const { frames, decoded } = decode(1, [...seconds(8), 50, ...seconds(8)]);
  // Once the first frame was late, the group is decoded from its beginning.
  expect(after(8, frames).slice(0, 4)).toEqual([8, 9.1, 10, 11]);
  expect(after(18, decoded)).toEqual([18, 19, 20]);
});

test('all pictures are decoded where a key frame is not shown before the next picture comes', () => {
  const { decoded, frames } = decode(1, seconds(30), 1);
  expect(after(9, decoded)).toHaveLength(210);
  expect(after(8, frames).length).toBeGreaterThan(20);
});

/** One picture, and what a camera's timestamps may be off, twice. */
const marginSeconds = 0.2001;

test('frames are never further apart than the rate says, however key frames come', () => {
  const groups = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 4, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.constantFrom(0.2, 0.4, 0.5, 0.7, 1),
      groups,
      fc.integer({ min: 1, max: 6 }),
      (rate, some, times) => {
        const { frames } = decode(
          rate,
          some.flatMap((length) => Array<number>(times).fill(length)),
        );
        const apart = frames.slice(1).map((time, index) => time - (frames[index] ?? 0));
        expect(Math.max(0, ...apart)).toBeLessThan(1 / rate + marginSeconds);
      },
    ),
    { numRuns: 40 },
  );
});

test('one decoder takes connection after connection: their frames are counted anew, and none is of both', () => {
  gstreamer.held = 2;
  gstreamer.decodedNs = [];
  gstreamer.opened = 0;
  const frames: [second: number, sequence: number][] = [];
  const decoder = new FrameDecoder({
    rates: [['gray', 0]],
    clock: { at: (mediaUs) => mediaUs },
    onFrame: ({ timeUs, sequence }) => frames.push([timeUs / 1e6, sequence]),
    onFailure: expect.fail,
  });
  decoder.setWanted(new Set(['gray']));
  const unit = (second: number, keyFrame: boolean) => ({
    ...({ codec: 'h264', time: second * 90_000, keyFrame, continues: false } as const),
    data: Buffer.from('0000000165', 'hex'),
  });
  for (let second = 0; second < 5; second += 1) decoder.push(unit(second, second === 0));
  decoder.restart();
  // The rest of a group that began before.
  decoder.push(unit(10, false));
  for (let second = 11; second < 15; second += 1) decoder.push(unit(second, second === 11));
  decoder.interrupt();
  for (let second = 16; second < 20; second += 1) decoder.push(unit(second, second === 17));
  decoder.close();
  expect(frames).toEqual([
    ...[
      [0, 0],
      [1, 1],
      [2, 2],
    ],
    ...[
      [11, 0],
      [12, 1],
    ],
    [17, 2],
  ]);
  expect(gstreamer.opened).toBe(1);
});

test('what is given at once may all wait to be decoded, and what comes later may not wait as long', () => {
  const decoder = new FrameDecoder({
    ...{ rates: [['gray', 0]], clock: { at: (mediaUs) => mediaUs } },
    ...{ onFrame: () => {}, onFailure: expect.fail },
  });
  decoder.setWanted(new Set(['gray']));
  const unit = (second: number) => ({
    ...({ codec: 'h264', time: second * 90_000, keyFrame: second % 4 === 0, continues: false } as const),
    data: Buffer.from('0000000165', 'hex'),
  });
  gstreamer.held = 0;
  for (let second = 0; second < 4; second += 1) decoder.push(unit(second));
  gstreamer.mostsNs = [];
  decoder.pushBurst([4, 5, 6, 7, 8, 9, 10, 11].map(unit));
  expect(Math.min(...gstreamer.mostsNs)).toBeGreaterThan(8e9);
  for (let second = 12; second < 16; second += 1) decoder.push(unit(second));
  expect(gstreamer.mostsNs.at(-1)).toBe(3e9);
  decoder.close();
});

test('pictures that are given at once say nothing about whether the decoder shows pictures late', () => {
  const decoder = new FrameDecoder({
    ...{ rates: [['gray', 0]], clock: { at: (mediaUs) => mediaUs } },
    ...{ onFrame: () => {}, onFailure: expect.fail },
  });
  decoder.setWanted(new Set(['gray']));
  const unit = (picture: number) => ({
    ...({ codec: 'h264', time: picture * ticks, keyFrame: picture % 40 === 0, continues: false } as const),
    data: Buffer.from('0000000165', 'hex'),
  });
  // Busy with the burst, it shows the pictures after it late as well.
  gstreamer.held = 5;
  const burst = Array.from({ length: 40 }, (_, index) => unit(index));
  decoder.pushBurst(burst);
  for (let picture = 40; picture < 60; picture += 1) decoder.push(unit(picture));
  expect(decoder.isDelayed).toBe(false);
  for (let picture = 60; picture < 80; picture += 1) decoder.push(unit(picture));
  expect(decoder.isDelayed).toBe(true);
  decoder.close();
});

test('a decoder that always fails is made ever more seldom: a process can make only so many', async () => {
  vi.useFakeTimers();
  try {
    [gstreamer.held, gstreamer.opened, gstreamer.isBroken] = [0, 0, true];
    const decoder = new FrameDecoder({
      ...{ rates: [['gray', 5]], clock: { at: (mediaUs) => mediaUs } },
      ...{ onFrame: () => expect.fail(), onFailure: () => {} },
    });
    decoder.setWanted(new Set(['gray']));
    const day = 24 * 60 * 60;
    for (let second = 0; second < day; second += 30) {
      const unit = { codec: 'h264', time: second * 90_000, keyFrame: true, continues: false } as const;
      decoder.push({ ...unit, data: Buffer.from('0000000165', 'hex') });
      await vi.advanceTimersByTimeAsync(30_000);
    }
    decoder.close();
    expect(gstreamer.opened).toBeLessThan(32);
    expect(gstreamer.opened).toBeGreaterThan(24);
  } finally {
    gstreamer.isBroken = false;
    vi.useRealTimers();
  }
});
