import { expect, test, vi } from 'vitest';
import { JumpLog } from '../../pipelines/jump-log.ts';
import { atEnd } from '../support/cleanup.ts';

test('a clock that goes on jumping is one entry in ten seconds, with how often and how far', () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const texts: string[] = [];
  const log = new JumpLog((text) => texts.push(text));
  for (let n = 1; n <= 250; n += 1) {
    log.add({ what: 'picture', seconds: n % 2 === 0 ? n : -n });
    vi.advanceTimersByTime(100);
  }
  expect(texts).toEqual([
    'one picture was stamped 1.0 s back; recorded by the time of arrival',
    "the camera's clock jumped 99 more times, by up to 100.0 s; recorded by the time of arrival",
    "the camera's clock jumped 100 more times, by up to 200.0 s; recorded by the time of arrival",
  ]);
  log.close();
  expect(texts).toHaveLength(4);
  expect(texts[3]).toContain('50 more times, by up to 250.0 s');
});

test('jumps that are far apart are an entry each, with their size', () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const texts: string[] = [];
  const log = new JumpLog((text) => texts.push(text));
  for (const seconds of [3600, -20]) {
    log.add({ what: 'clock', seconds });
    vi.advanceTimersByTime(10_000);
  }
  log.close();
  expect(texts).toEqual([
    "the camera's clock jumped 3600.0 s ahead; recorded by the time of arrival",
    "the camera's clock jumped 20.0 s back; recorded by the time of arrival",
  ]);
});
