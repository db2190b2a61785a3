import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

function start(after: number) {
  const entries: LogEntry[] = [];
  const logger = new Logger((entry) => entries.push(entry));
  logger.configure({ repeatLimit: after, printDebug: false });
  const texts = () => entries.splice(0).map(({ msg }) => msg);
  return { logger, log: logger.source('recorder'), entries, texts };
}

const times = (count: number, say: () => void) => {
  for (let n = 0; n < count; n += 1) say();
};

test('the first few equal entries of a minute are written, the following ones become one entry', () => {
  const { log, texts, entries } = start(3);
  times(10, () => log.error('no frame', 'door'));
  expect(texts()).toEqual(['no frame', 'no frame', 'no frame']);
  vi.advanceTimersByTime(59_999);
  expect(texts()).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(entries).toEqual([
    {
      level: 'error',
      src: 'recorder',
      monitorID: 'door',
      msg: 'no frame (7 more times in 60 s)',
      time: 1_800_000_060_000_000,
    },
  ]);
});

test('what goes on and on is one entry a minute, and what was quiet for long is written again', () => {
  const { log, texts } = start(3);
  for (let second = 0; second < 180; second += 1) {
    log.error('no frame');
    vi.advanceTimersByTime(1000);
  }
  expect(texts()).toEqual([
    ...['no frame', 'no frame', 'no frame', 'no frame (57 more times in 60 s)'],
    ...['no frame (60 more times in 60 s)', 'no frame (60 more times in 60 s)'],
  ]);
  times(2, () => log.error('no frame'));
  vi.advanceTimersByTime(60_000);
  expect(texts()).toEqual(['no frame (2 more times in 60 s)']);
  times(4, () => log.error('no frame'));
  expect(texts()).toEqual(['no frame', 'no frame', 'no frame']);
  vi.advanceTimersByTime(60_000);
  expect(texts()).toEqual(['no frame (once more in 60 s)']);
});

test('each kind is summed up when its own minute is over, whatever happens beside it', () => {
  const { log, texts } = start(1);
  times(5, () => log.error('one'));
  vi.advanceTimersByTime(10_000);
  times(3, () => log.error('other'));
  expect(texts()).toEqual(['one', 'other']);
  vi.advanceTimersByTime(50_000);
  expect(texts()).toEqual(['one (4 more times in 60 s)']);
  vi.advanceTimersByTime(10_000);
  expect(texts()).toEqual(['other (2 more times in 60 s)']);
});

test('entries of another level, source, monitor or text are not equal, nor is one with another number', () => {
  const { logger, log, texts } = start(1);
  const say = () => {
    log.error('port 1');
    log.warning('port 1');
    log.error('port 1', 'door');
    log.error('port 2');
    logger.source('app').error('port 1');
  };
  times(2, say);
  expect(texts()).toHaveLength(5);
});

test('the end of the process logs the repeats so far', async () => {
  const { logger, log, texts } = start(2);
  times(5, () => log.info('streaming', 'door'));
  times(2, () => log.info('once'));
  vi.advanceTimersByTime(12_000);
  texts();
  await logger.flush(0);
  expect(texts()).toEqual(['streaming (3 more times in 12 s)']);
  await logger.flush(0);
  vi.advanceTimersByTime(120_000);
  expect(texts()).toEqual([]);
});

test('0 writes every entry', () => {
  const { log, texts } = start(0);
  times(100, () => log.info('streaming'));
  expect(texts()).toHaveLength(100);
});

test('however many kinds of entries there are, it remembers the newest thousand and logs the counts of the others', () => {
  const { log, texts } = start(1);
  times(3, () => log.info('the oldest'));
  for (let n = 0; n < 999; n += 1) log.info(`kind ${n}`);
  expect(texts()).toHaveLength(1000);
  log.info('kind 999');
  expect(texts()).toEqual(['the oldest (2 more times in 1 s)', 'kind 999']);
  log.info('kind 500');
  expect(texts()).toEqual([]);
  log.info('the oldest');
  expect(texts()).toEqual(['the oldest']);
});

test('the count does not make a long entry longer than the bus takes', () => {
  const { log, texts } = start(1);
  times(3, () => log.info('x'.repeat(10_000)));
  vi.advanceTimersByTime(60_000);
  const [first = '', told = ''] = texts();
  expect(first).toHaveLength(4096);
  expect(told).toHaveLength(4096);
  expect(told.endsWith('x… (2 more times in 60 s)')).toBe(true);
});
