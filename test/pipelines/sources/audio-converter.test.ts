import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AudioConverter } from '../../../pipelines/sources/audio-converter.ts';

/** An encoder that takes everything, and gives nothing. */
vi.mock('../../../pipelines/gstreamer/gstreamer.ts', () => ({
  Pipeline: class {
    play() {}
    push() {}
    close() {}
    pull() {
      return new Promise(() => {});
    }
  },
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const packetsPerSecond = 50;

/** The times of so many packets in a row, in seconds. */
const spoken = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => from + n / packetsPerSecond);

/** @returns why nothing is converted any more, once for each call of `onFailure` */
function convert(times: readonly number[]): string[] {
  const failures: string[] = [];
  const converter = new AudioConverter({
    from: { codec: 'alaw', sampleRate: 8000, channels: 1 },
    to: { sampleRate: 8000, channels: 1 },
    onFrame: () => {},
    onFailure: (detail) => failures.push(detail),
  });
  let now = 0;
  for (const seconds of times) {
    vi.advanceTimersByTime((seconds - now) * 1000);
    now = seconds;
    converter.push(Buffer.alloc(160), seconds * 1e6);
  }
  return failures;
}

test('audio that pauses for longer than an encoder may be silent is converted after the pause', () => {
  // Each time less than a frame of AAC holds.
  expect(convert([...spoken(0, 5), ...spoken(12, 5), ...spoken(72, 5)])).toEqual([]);
});

test('an encoder that gives nothing for ten seconds of audio has failed, pauses not counted', () => {
  const half = 5 * packetsPerSecond;
  expect(convert([...spoken(0, half), ...spoken(60, half)])).toEqual([]);
  expect(convert([...spoken(0, half), ...spoken(60, half + 10)])).toEqual([
    'nothing comes out of the encoder',
  ]);
});
