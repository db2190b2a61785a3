import { expect, test } from 'vitest';
import type { LivePacket } from '../../../bus/packets/live-packet.ts';
import { makeAudioConfig } from '../../../pipelines/codecs/aac.ts';
import type { VideoConfig } from '../../../pipelines/codecs/nal-unit.ts';
import { LiveStream } from '../../../pipelines/live/live-stream.ts';
import type { VideoUnit } from '../../../pipelines/media/unit.ts';

/** What is published of a stream, picture by picture. */

const config: VideoConfig = {
  ...({ codec: 'h264', width: 320, height: 240, parameterSets: [] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};
const period = 6000;
const silent = { begin: true, sound: false };

function start() {
  const packets: LivePacket[] = [];
  const clock = { at: (mediaUs: number) => 1_790_000_000_000_000 + mediaUs };
  const stream = new LiveStream({ clock, onPacket: (packet) => packets.push(packet) });
  /** @param time in ticks */
  const push = (time: number, keyFrame = false, changed: Partial<VideoUnit> = {}) =>
    stream.push({
      ...{ config, time, keyFrame, arrivedMs: 0, continues: false, data: Buffer.from('picture') },
      ...changed,
    });
  return { stream, packets, push };
}

const kinds = (packets: readonly LivePacket[]) => packets.map(({ kind }) => kind);

/** In ticks. */
function timesOf({ data }: LivePacket) {
  const fragment = Buffer.from(data);
  const decode = Number(fragment.readBigUInt64BE(fragment.indexOf('tfdt') + 8));
  const run = fragment.indexOf('trun') + 4;
  return {
    decode,
    duration: fragment.readUInt32BE(run + 12),
    shown: decode + fragment.readInt32BE(run + 24),
  };
}

test('nothing is made of a stream that nobody watches, and nothing any more when nobody does', () => {
  const { stream, packets, push } = start();
  push(0, true);
  push(period);
  expect(packets).toEqual([]);
  stream.watch(silent);
  expect(kinds(packets)).toEqual(['start', 'picture', 'picture']);
  expect(packets.map(({ remaining }) => remaining)).toEqual([2, 1, 0]);
  stream.unwatch();
  push(2 * period);
  expect(packets).toHaveLength(3);
});

test('one who watches later gets the whole last group, in the same session', () => {
  const { stream, packets, push } = start();
  push(0, true);
  stream.watch(silent);
  push(period);
  packets.splice(0);
  stream.watch(silent);
  expect(packets.map(({ kind, sequence }) => [kind, sequence])).toEqual([
    ['start', 1],
    ['picture', 1],
    ['picture', 2],
  ]);
  stream.watch({ begin: false, sound: false });
  expect(packets).toHaveLength(3);
});

test('a stream that is watched before its first key frame begins with it', () => {
  const { stream, packets, push } = start();
  stream.watch(silent);
  push(0);
  expect(packets).toEqual([]);
  push(period, true);
  expect(kinds(packets)).toEqual(['start', 'picture']);
});

test('another format begins another session, with a key frame, and the end of the connection ends it', () => {
  const { stream, packets, push } = start();
  push(0, true);
  stream.watch(silent);
  push(period, true, { config: { ...config, width: 640 } });
  expect(kinds(packets)).toEqual(['start', 'picture', 'start', 'picture']);
  expect(packets.map(({ format }) => format?.width)).toEqual([320, undefined, 640, undefined]);
  expect(packets[0]?.format?.mime).toBe('video/mp4; codecs="avc1.42C01F"');
  expect(new Set(packets.map(({ session }) => session)).size).toBe(2);
  stream.close();
  expect(packets.at(-1)).toMatchObject({ kind: 'end', session: packets[2]?.session });
});

test('decode times never step by more than two durations, and what is shown when stays exact', () => {
  const { stream, packets, push } = start();
  const steady = Array.from({ length: 20 }, (_, n) => n * period);
  for (const time of steady) push(time, time === 0);
  stream.watch(silent);
  // Half a second without a picture, and pictures in their usual distance after it.
  const later = Array.from({ length: 20 }, (_, n) => (steady.at(-1) ?? 0) + 45_000 + n * period);
  for (const time of later) push(time);
  const times = packets.slice(1).map(timesOf);
  const [first] = times;
  expect(times.map(({ shown }) => shown - (first?.shown ?? 0))).toEqual([...steady, ...later]);
  for (const [n, { decode }] of times.slice(1).entries()) {
    const before = times[n];
    expect(decode - (before?.decode ?? 0)).toBeGreaterThan(0);
    expect(decode - (before?.decode ?? 0)).toBeLessThanOrEqual(2 * (before?.duration ?? 0));
  }
  expect(times.at(-1)?.decode).toBe(times.at(-1)?.shown);
});

test('sound is published while somebody listens, and announced when it becomes known', () => {
  const { stream, packets, push } = start();
  const audio = makeAudioConfig(16_000, 1);
  const unit = (time: number) => ({ config: audio, time, data: Buffer.from('sound') });
  push(0, true);
  stream.watch({ begin: true, sound: true });
  expect(packets[0]?.format?.sound).toBeUndefined();
  packets.splice(0);
  stream.pushAudio(unit(0));
  stream.pushAudio(unit(1024));
  expect(kinds(packets)).toEqual(['start', 'picture', 'sound', 'sound']);
  expect(packets[0]?.format?.sound?.mime).toBe('audio/mp4; codecs="mp4a.40.2"');
  expect(packets.slice(2).map(({ sequence }) => sequence)).toEqual([1, 2]);
  stream.unwatch();
  stream.watch(silent);
  packets.splice(0);
  stream.pushAudio(unit(2048));
  expect(packets).toEqual([]);
});
