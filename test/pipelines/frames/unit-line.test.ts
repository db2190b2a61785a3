import { expect, test } from 'vitest';
import { type UnitPacket, UnitPacketReader, unitPartsOf } from '../../../bus/packets/unit-packet.ts';
import type { VideoConfig } from '../../../pipelines/codecs/nal-unit.ts';
import { DueTimes } from '../../../pipelines/frames/due-times.ts';
import { UnitLine } from '../../../pipelines/frames/unit-line.ts';
import { UnitStream } from '../../../pipelines/frames/unit-stream.ts';

const second = 90_000;
const beganUs = 1_732_112_595_000_000;
const config: VideoConfig = {
  ...({ codec: 'h264', width: 320, height: 240, parameterSets: [Buffer.from('67')] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};

const every = { keys: null, again: null };
const each = (begin: boolean) => ({ begin, rates: [], ...every });

/** A connection whose first picture has the number `from`, and what it sends, as it comes over the bus. */
function connection(from = 0, distance = second, size = { width: 320, height: 240 }) {
  const packets: UnitPacket[] = [];
  /** The numbers of the pictures of each. */
  const messages: number[][] = [];
  const reader = new UnitPacketReader();
  const stream = new UnitStream({
    clock: { at: (mediaUs) => beganUs + mediaUs },
    onUnits: (units) => {
      for (const { data, header } of unitPartsOf(units)) packets.push(...reader.read(data, header));
      messages.push(units.map(({ sequence }) => sequence));
    },
  });
  const push = (number: number, bytes = 5) => {
    const data = Buffer.alloc(bytes);
    data.writeUInt32BE(bytes - 4);
    const time = (from + number) * distance;
    stream.push({
      config: { ...config, ...size },
      time,
      arrivedMs: 0,
      keyFrame: number % 4 === 0,
      continues: false,
      data,
    });
  };
  return { stream, push, packets, messages };
}

test('who begins between two key frames gets the group whole, and who asks for it again', () => {
  const { stream, push, packets } = connection();
  for (let number = 0; number < 6; number += 1) push(number);
  expect(packets).toEqual([]);
  stream.want(each(true));
  push(6);
  stream.want(each(false));
  stream.want(each(true));
  const seen = packets.map(({ sequence, remaining, keyFrame }) => [sequence, remaining, keyFrame]);
  expect(seen).toEqual([
    [4, 1, true],
    [5, 0, false],
    [6, 0, false],
    [4, 2, true],
    [5, 1, false],
    [6, 0, false],
  ]);
  const line = new UnitLine();
  expect(packets.map((packet) => line.take(packet)?.follows)).toEqual([
    ...['connection', 'picture', 'picture'],
    ...[undefined, undefined, undefined],
  ]);
});

test('a picture of more than a megabyte comes whole, with its parameter sets', () => {
  const { stream, push, packets } = connection();
  stream.want(each(true));
  push(0, 1_400_000);
  const [packet] = packets;
  expect(packet?.data.length).toBe(4 + 2 + 1_400_000);
  expect(Buffer.from(packet?.data.subarray(0, 10) ?? []).toString('latin1')).toBe('\0\0\0\x0167\0\0\0\x01');
});

test('connections follow each other on one line, whatever their own times are, and each moment has its time', () => {
  const [first, second_] = [connection(1000), connection(3)];
  const line = new UnitLine();
  const times: number[] = [];
  for (const { stream, push, packets } of [first, second_]) {
    stream.want(each(true));
    for (let number = 0; number < 3; number += 1) push(number);
    for (const packet of packets) {
      const taken = line.take(packet);
      if (!taken) throw new Error('not taken');
      times.push(taken.unit.time);
      expect(line.at((taken.unit.time / second) * 1e6)).toBe(packet.timeUs);
    }
  }
  expect(times.map((time) => (time - (times[0] ?? 0)) / second)).toEqual([0, 1, 2, 3, 4, 5]);
});

test('after lost pictures, and after an end of the wish, it is said that some are missing', () => {
  const { stream, push, packets } = connection();
  stream.want(each(true));
  for (let number = 0; number < 3; number += 1) push(number);
  stream.unwant();
  for (let number = 3; number < 6; number += 1) push(number);
  stream.want(each(false));
  const line = new UnitLine();
  const follows = packets
    .filter(({ sequence }) => sequence !== 1)
    .map((packet) => line.take(packet)?.follows);
  expect(follows).toEqual(['connection', 'gap', 'gap', 'picture']);
});

test('pictures of which no frame is made come with the next one of which one is', () => {
  const { stream, push, packets, messages } = connection(0, second / 15);
  stream.want({ begin: true, rates: [5], ...every });
  for (let number = 0; number < 10; number += 1) push(number);
  expect(messages).toEqual([[0], [1, 2, 3], [4, 5, 6], [7, 8, 9]]);
  expect(packets.map(({ sequence }) => sequence)).toEqual([...Array(10).keys()]);
  expect(Math.round((stream.nextDueUs ?? 0) / 1000)).toBe(800);
  const line = new UnitLine();
  const due = new DueTimes([5]);
  const isDue = packets.map((packet) => due.isDue(line.take(packet)?.unit.time ?? 0));
  expect(isDue.flatMap((is, index) => (is ? [index] : []))).toEqual([0, 3, 6, 9]);
  // Two rates: what either of them needs comes at once. Without any, everything does.
  stream.want({ begin: false, rates: [5, 2], ...every });
  for (let number = 10; number < 20; number += 1) push(number);
  stream.want({ begin: false, rates: [0], ...every });
  push(20);
  push(21);
  expect(messages.slice(4)).toEqual([[10], [11, 12], [13, 14, 15], [16, 17, 18], [19, 20], [21]]);
});

test('what a camera shows in another order than it sends it comes at once', () => {
  const { stream, push, messages } = connection(0, second / 15);
  stream.want({ begin: true, rates: [5], ...every });
  for (const number of [0, 3, 1, 2, 6, 4, 5]) push(number);
  expect(messages).toEqual([[0], [1], [2], [3], [4], [5], [6]]);
});

test('large pictures wait only as long as it takes 10 ms to decode them', () => {
  const { stream, push, messages } = connection(0, second / 15, { width: 1920, height: 1080 });
  stream.want({ begin: true, rates: [5], ...every });
  for (let number = 0; number < 7; number += 1) push(number);
  expect(messages).toEqual([[0], [1, 2], [3], [4, 5], [6]]);
  // They are not left in the camera's socket any longer either.
  expect(Math.round((stream.nextDueUs ?? 0) / 1000)).toBe(533);
});
