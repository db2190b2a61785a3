import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRecordingID, parseRecordingID } from '../../bus/recording-id.ts';

test('the id of a recording says when it began, of which monitor and of which stream it is', () => {
  const name = { startMs: Date.UTC(2026, 10, 23, 3, 40, 12), monitorID: 'door' };
  expect(formatRecordingID({ ...name, stream: 'main' })).toBe('2026-11-23_03-40-12_door');
  expect(formatRecordingID({ ...name, stream: 'sub' })).toBe('2026-11-23_03-40-12_door_sub');
  const seconds = fc.integer({ min: 0, max: Date.UTC(2100, 0) / 1000 });
  const monitorID = fc.stringMatching(/^[A-Za-z0-9]{1,24}$/);
  const stream = fc.constantFrom('main' as const, 'sub' as const);
  const anyName = fc.record({ startMs: seconds.map((second) => second * 1000), monitorID, stream });
  fc.assert(
    fc.property(anyName, (one) => {
      expect(parseRecordingID(formatRecordingID(one))).toEqual(one);
    }),
  );
});

test('nothing else is the id of a recording', () => {
  for (const other of [
    'door',
    '2026-11-23_03-40-12_',
    '2026-11-23_03-40-12_door_main',
    '.door_sub.12.part',
  ]) {
    expect(parseRecordingID(other)).toBeUndefined();
  }
});
