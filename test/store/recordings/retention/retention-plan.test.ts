import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseRecordings } from '../../../../store/recordings/retention/retention-plan.ts';
import { type KeptRecording, seriesOf } from '../../../../store/recordings/retention/retention-rules.ts';
import { hourMs } from '../../../support/retention.ts';

const nowMs = Date.UTC(2026, 10, 23);
const minutesMs = 60_000;

/** One that is recorded all day in large pieces, one in small ones, one now and then. */
const cameras = fc.array(
  fc.record({
    monitorID: fc.constantFrom('attic', 'door', 'street', 'yard'),
    agoMinutes: fc.integer({ min: 1, max: 6000 }),
    bytes: fc.integer({ min: 1, max: 1000 }),
    isOfEvent: fc.boolean(),
  }),
  { minLength: 20, maxLength: 200 },
);

/** As the catalogue gives them: in the order in which they were recorded. */
function recordingsOf(made: readonly { monitorID: string; agoMinutes: number; bytes: number }[]) {
  return [...made]
    .sort((a, b) => b.agoMinutes - a.agoMinutes)
    .map(({ agoMinutes, ...rest }, index): KeptRecording => {
      const startMs = nowMs - agoMinutes * minutesMs;
      return { id: String(index), stream: 'main', startMs, endMs: startMs + minutesMs, ...rest };
    });
}

async function* inOrder<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

test('no monitor keeps footage that is older than what another one lost: neither few nor many, large nor small ones', async () => {
  const check = async (made: Parameters<typeof recordingsOf>[0], part: number, isDisk: boolean) => {
    const all = recordingsOf(made);
    const newest = new Map(all.map((one) => [seriesOf(one), one]));
    const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    const excess = Math.ceil(bytes * part);
    const chosen = await chooseRecordings(inOrder(all), {
      ...{ nowMs, newest, monitors: new Map(), isProtected: () => false },
      rulesOf: () => ({ minMs: hourMs, eventMs: new Map() }),
      keptUntilMs: async (one) => ('isOfEvent' in one && one.isOfEvent === true ? nowMs + 1 : 0),
      ...(isDisk ? { total: 0, disk: excess } : { total: excess, disk: 0 }),
    });
    const gone = new Set(chosen);
    const isNewest = (one: KeptRecording) => (newest.get(seriesOf(one))?.startMs ?? 0) - one.startMs < hourMs;
    const rankOf = (one: KeptRecording) => (isNewest(one) ? 2 : 'isOfEvent' in one && one.isOfEvent ? 1 : 0);
    for (const rank of [0, 1, 2]) {
      const own = all.filter((one) => rankOf(one) === rank);
      const firstKept = own.findIndex((one) => !gone.has(one));
      if (firstKept >= 0) expect(own.slice(firstKept).filter((one) => gone.has(one))).toEqual([]);
    }
    // No more than is needed, whoever it belongs to.
    const freed = chosen.reduce((sum, one) => sum + one.bytes, 0);
    expect(freed - (chosen.at(-1)?.bytes ?? 0)).toBeLessThan(excess);
    expect(isDisk ? chosen.some(isNewest) : freed < excess).toBe(false);
  };
  await fc.assert(
    fc.asyncProperty(cameras, fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.boolean(), check),
    {
      numRuns: 100,
    },
  );
});
