import { expect, test } from 'vitest';
import { FrameDecoder } from '../../../pipelines/frames/frame-decoder.ts';
import { PipelineBudget, pipelineBudget } from '../../../pipelines/gstreamer/pipeline-budget.ts';
import { MediaClock } from '../../../pipelines/media/media-clock.ts';
import { AudioConverter } from '../../../pipelines/sources/audio-converter.ts';

const hourMs = 3600_000;

test('pipelines of a process that has started many start once an hour, for as long as it lives', () => {
  const budget = new PipelineBudget();
  for (let start = 0; start < 200; start += 1) {
    // New sessions begin in another process long before.
    expect(budget.isWorn).toBe(start >= 100);
    expect(budget.take(start)).toBe(0);
  }
  const lastMs = 199;
  expect(budget.isSpent).toBe(false);
  expect(budget.take(lastMs)).toBe(hourMs);
  expect(budget.isSpent).toBe(true);
  expect(budget.take(lastMs + hourMs - 1)).toBe(1);
  expect(budget.take(lastMs + hourMs)).toBe(0);
  expect(budget.take(lastMs + hourMs + 1)).toBe(hourMs - 1);
  expect(budget.take(lastMs + 2 * hourMs)).toBe(0);
});

test('decoders and encoders keep to it, and say so', () => {
  while (pipelineBudget.take(performance.now()) === 0);
  const failures: string[] = [];
  const onFailure = (detail: string) => failures.push(detail);
  const decoder = new FrameDecoder({
    ...{ rates: [['gray', 5]], clock: new MediaClock(), onFrame: () => {}, onFailure },
  });
  decoder.setWanted(new Set(['gray']));
  const unit = { codec: 'h264', keyFrame: true, data: Buffer.alloc(8), continues: false } as const;
  for (const time of [0, 1, 2]) decoder.push({ ...unit, time });
  const text = 'GStreamer has been started too often; next start in 60 min';
  expect(failures).toEqual([text]);
  const converter = new AudioConverter({
    ...{ from: { format: 'S16LE', rate: 8000, channels: 1 } as never, to: { sampleRate: 8000, channels: 1 } },
    ...{ onFrame: () => {}, onFailure },
  });
  converter.push(Buffer.alloc(320), 0);
  expect(failures).toEqual([text, text]);
});
