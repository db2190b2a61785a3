import { expect, test, vi } from 'vitest';
import { MachineClock } from '../../../bus/base/machine-clock.ts';
import { logClockSteps } from '../../../bus/logging/clock-log.ts';
import { Logger } from '../../../bus/logging/logger.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import { atEnd } from '../../support/cleanup.ts';

test('a clock that is set is one entry, with how far', () => {
  vi.useFakeTimers();
  atEnd(async () => void vi.useRealTimers());
  const entries: LogEntry[] = [];
  let wallUs = 1_700_000_000e6;
  const clock = new MachineClock(() => ({ wallUs, monotonicUs: 0 }));
  const end = logClockSteps(new Logger((entry) => entries.push(entry)).source('app'), clock);
  for (const seconds of [0, 1.5, 0, -7200, 0.1, 3 * 365 * 86_400, -600]) {
    wallUs += seconds * 1e6;
    vi.advanceTimersByTime(60_000);
  }
  end();
  expect(entries.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    "warning: this machine's clock was set ahead by 1.5 s",
    "warning: this machine's clock was set back by 2.0 hours",
    "warning: this machine's clock was set ahead by 1095.0 days",
    "warning: this machine's clock was set back by 10.0 min",
  ]);
});
