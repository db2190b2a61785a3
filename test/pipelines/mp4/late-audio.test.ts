import { expect, test } from 'vitest';
import { makeAudioConfig } from '../../../pipelines/codecs/aac.ts';
import type { VideoConfig } from '../../../pipelines/codecs/nal-unit.ts';
import { Fragmenter } from '../../../pipelines/mp4/fragmenter.ts';
import type { MediaFragment } from '../../../pipelines/mp4/media-fragment.ts';

/** Audio arrives later than the pictures of the same moment: a frame of it is complete with its last sample. */

const config: VideoConfig = {
  ...({ codec: 'h264', width: 320, height: 240, parameterSets: [] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};
/** A frame of it is 64 ms long. */
const audioConfig = makeAudioConfig(16_000, 1);
const frameTicks = 1024;

function startFragmenter() {
  const fragments: MediaFragment[] = [];
  const fragmenter = new Fragmenter({ onFragment: (each) => fragments.push(each), onLayout: () => {} });
  return {
    fragmenter,
    fragments,
    pushVideo: (timeMs: number, keyFrame: boolean) =>
      fragmenter.pushVideo({
        ...{ config, time: timeMs * 90, keyFrame, continues: false },
        ...{ arrivedMs: performance.now(), data: Buffer.from('picture') },
      }),
    pushAudio: (n: number) =>
      fragmenter.pushAudio({ config: audioConfig, time: n * frameTicks, data: Buffer.from('audio') }),
  };
}

const audioTimes = (fragments: readonly MediaFragment[]) =>
  fragments.flatMap(({ audio }) => audio.map(({ decodeTime }) => decodeTime));

test.each([
  [100, 20, -200],
  [100, 20, 0],
  [100, 20, 150],
  [100, 20, 400],
  [100, 8, 150],
  [1000, 2, 150],
])(
  'a picture every %i ms, each %ith a key frame: audio that comes %i ms late is in the file of its pictures',
  (everyMs, keyFrameEvery, lateMs) => {
    const { fragmenter, fragments, pushVideo, pushAudio } = startFragmenter();
    let heard = 0;
    for (let ms = 0; ms < 6000; ms += 10) {
      if (ms % everyMs === 0) pushVideo(ms, (ms / everyMs) % keyFrameEvery === 0);
      for (; (heard + 1) * 64 + lateMs <= ms; heard += 1) pushAudio(heard);
    }
    fragmenter.end();
    expect(audioTimes(fragments)).toEqual(Array.from({ length: heard }, (_, n) => n * frameTicks));
    const [first, ...later] = fragments.flatMap(({ keyFrame }, index) => (keyFrame ? [index] : []));
    expect(first).toBe(0);
    expect(later).toHaveLength(Math.ceil(6000 / everyMs / keyFrameEvery) - 1);
    // A file may begin at each key frame.
    for (const index of later) {
      const begin = Math.round(((fragments[index]?.startUs ?? 0) * 16_000) / 1e6);
      expect(Math.max(...audioTimes(fragments.slice(0, index)))).toBeLessThan(begin);
      expect(Math.min(...audioTimes(fragments.slice(index)), begin + frameTicks)).toBeGreaterThanOrEqual(
        begin,
      );
    }
  },
);

test('pictures that are written while their audio is late are all but the last one, which it comes with', () => {
  const { fragmenter, fragments, pushVideo, pushAudio } = startFragmenter();
  const made = () => fragments.map(({ video, audio }) => [video.length, audio.length]);
  pushVideo(0, true);
  pushAudio(0);
  for (const ms of [100, 200, 300, 400]) pushVideo(ms, false);
  pushVideo(500, true);
  pushVideo(600, false);
  expect(made()).toEqual([[3, 1]]);
  fragmenter.cut();
  expect(made().slice(1)).toEqual([[1, 0]]);
  fragmenter.cut();
  for (const n of [1, 2, 3, 4, 5, 6]) pushAudio(n);
  expect(made()).toHaveLength(2);
  pushAudio(7);
  expect(made().slice(2)).toEqual([[1, 7]]);
  fragmenter.cut();
  expect(made().slice(3)).toEqual([[1, 0]]);
  expect(fragments.map(({ keyFrame }) => keyFrame)).toEqual([true, false, false, true]);
});

test('audio that is announced and never comes delays nothing', () => {
  const { fragmenter, fragments, pushVideo } = startFragmenter();
  fragmenter.setAudioConfig(audioConfig);
  for (let ms = 0; ms <= 1000; ms += 100) {
    pushVideo(ms, ms % 500 === 0);
    if (ms >= 500 && ms % 500 === 0) expect(fragments.at(-1)?.video.at(-1)?.decodeTime).toBe((ms - 100) * 90);
  }
});
