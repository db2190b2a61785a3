import { expect, test } from 'vitest';
import { type UnitPacket, UnitPacketReader, unitPartsOf } from '../../../bus/packets/unit-packet.ts';
import type { VideoConfig } from '../../../pipelines/codecs/nal-unit.ts';
import { UnitLine } from '../../../pipelines/frames/unit-line.ts';
import { UnitStream } from '../../../pipelines/frames/unit-stream.ts';

const second = 90_000;
const beganUs = 1_732_112_595_000_000;
const config: VideoConfig = {
  ...({ codec: 'h264', width: 320, height: 240, parameterSets: [Buffer.from('67')] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};

/** A connection whose media time begins at `from` seconds, and what it sends, as it comes over the bus. */
function connection(from = 0) {
  const packets: UnitPacket[] = [];
  const reader = new UnitPacketReader();
  const stream = new UnitStream({
    clock: { at: (mediaUs) => beganUs + mediaUs },
    onUnit: (packet) => {
      for (const { data, header } of unitPartsOf(packet)) {
        const whole = reader.read(data, header);
        if (whole) packets.push(whole);
      }
    },
  });
  const push = (number: number, bytes = 5) => {
    const data = Buffer.alloc(bytes);
    data.writeUInt32BE(bytes - 4);
    const time = (from + number) * second;
    stream.push({ config, time, arrivedMs: 0, keyFrame: number % 4 === 0, continues: false, data });
  };
  return { stream, push, packets };
}

test('who begins between two key frames gets the group whole, and who asks for it again', () => {
  const { stream, push, packets } = connection();
  for (let number = 0; number < 6; number += 1) push(number);
  expect(packets).toEqual([]);
  stream.want(true);
  push(6);
  stream.want(false);
  stream.want(true);
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
  stream.want(true);
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
    stream.want(true);
    for (let number = 0; number < 3; number += 1) push(number);
    for (const packet of packets) {
      const taken = line.take(packet);
      if (!taken) throw new Error('not taken');
      times.push(taken.unit.time / second);
      expect(line.at((taken.unit.time / second) * 1e6)).toBe(packet.timeUs);
    }
  }
  expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 1, 2, 3, 4, 5]);
});

test('after lost pictures, and after an end of the wish, it is said that some are missing', () => {
  const { stream, push, packets } = connection();
  stream.want(true);
  for (let number = 0; number < 3; number += 1) push(number);
  stream.unwant();
  for (let number = 3; number < 6; number += 1) push(number);
  stream.want(false);
  const line = new UnitLine();
  const follows = packets
    .filter(({ sequence }) => sequence !== 1)
    .map((packet) => line.take(packet)?.follows);
  expect(follows).toEqual(['connection', 'gap', 'gap', 'picture']);
});
