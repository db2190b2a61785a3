import { describe, expect, test } from 'vitest';
import { FrameReader } from '../../../pipelines/frames/frame-reader.ts';
import { MediaClock } from '../../../pipelines/media/media-clock.ts';

/** A packet of the GStreamer Data Protocol. */
function packet(type: number, payload: Buffer, pts = 0n): Buffer {
  const header = Buffer.alloc(62);
  header.writeUInt16BE(type, 4);
  header.writeUInt32BE(payload.length, 6);
  header.writeBigUInt64BE(pts, 10);
  return Buffer.concat([header, payload]);
}

const caps = (width: number, height: number) =>
  packet(2, Buffer.from(`video/x-raw, width=(int)${width}, height=(int)${height}, format=(string)GRAY8\0`));
const picture = (milliseconds: number, size = 8 * 4) =>
  packet(1, Buffer.alloc(size, 7), BigInt(Math.round(milliseconds * 1e6)));
const now = 1_700_000_000_000_000;

/** A reader, and the clock that sees each picture arrive. */
function readerOf(rate: number) {
  const clock = new MediaClock();
  const reader = new FrameReader(rate, 'gray', clock);
  const read = (data: Buffer, arrivedUs: number) => {
    if (data.length >= 62 && data.readUInt16BE(4) === 1)
      clock.observe(Number(data.readBigUInt64BE(10)) / 1000, arrivedUs);
    return reader.read(data);
  };
  return { read };
}

/** Where a `UnitLine` begins, in milliseconds. */
const begin = 50;

/** The times at which pictures come out, in milliseconds, when one goes in every `step`. */
function kept(rate: number, step: number, tremble = 0, from = 0): number[] {
  const reader = readerOf(rate);
  reader.read(caps(8, 4), now);
  const times = Array.from(
    { length: 100 },
    (_, index) => begin + from + index * step + (index % 2) * tremble,
  );
  return times.filter((time) => reader.read(picture(time), now + time * 1000) !== undefined);
}

describe('the picture reader', () => {
  test('makes frames of pictures, with their size and the time they were taken', () => {
    const reader = readerOf(0);
    expect(reader.read(packet(66, Buffer.alloc(9)), now)).toBeUndefined();
    expect(reader.read(picture(0), now)).toBeUndefined();
    expect(reader.read(caps(8, 4), now)).toBeUndefined();
    // Half a second late: the next one shows when it was taken.
    expect(reader.read(picture(1000), now + 1_500_000)?.sequence).toBe(0);
    expect(reader.read(picture(2000), now + 2_000_000)).toEqual({
      format: 'gray',
      width: 8,
      height: 4,
      timeUs: now + 2_000_000,
      sequence: 1,
      data: Buffer.alloc(32, 7),
    });
    expect(reader.read(picture(3000), now + 3_700_000)?.timeUs).toBe(now + 3_000_000);
  });

  test('follows a camera that changes its size, and skips what is no whole picture', () => {
    const reader = readerOf(0);
    reader.read(caps(8, 4), now);
    reader.read(caps(4, 4), now);
    expect(reader.read(picture(0), now)).toBeUndefined();
    expect(reader.read(picture(0, 16), now)).toMatchObject({ width: 4, height: 4 });
    expect(reader.read(Buffer.alloc(3), now)).toBeUndefined();
  });

  test('passes on every picture that GStreamer lets through at a whole rate', () => {
    expect(kept(5, 200)).toHaveLength(100);
    expect(kept(5, 200, 30)).toHaveLength(100);
    expect(kept(5, 200, -30)).toHaveLength(100);
    expect(kept(0, 10)).toHaveLength(100);
    // Wherever the rate's periods begin.
    for (const from of [0, 200, 400]) expect(kept(2, 200, 0, from).length).toBeGreaterThanOrEqual(40);
  });

  test('keeps any other rate on average', () => {
    // 100 pictures in 33.3 s, of which 2.5 a second are to be kept.
    expect([83, 84, 85]).toContain(kept(2.5, 1000 / 3).length);
    expect(kept(0.2, 1000)).toHaveLength(20);
  });

  test('does not make up for a pause with a burst', () => {
    const reader = readerOf(1);
    reader.read(caps(8, 4), now);
    const times = [0, 1000, 60_000, 60_100, 60_200, 61_000];
    const out = times.filter((time) => reader.read(picture(time), now + time * 1000) !== undefined);
    expect(out).toEqual([0, 1000, 60_000, 61_000]);
  });
});
