import { describe, expect, test } from 'vitest';
import { isSame, partAt, withPart } from '../../../http/pages/app/settings/form/json-pointer.ts';
import { idOfName, newMonitor, sentMonitor } from '../../../http/pages/app/settings/monitors/new-monitor.ts';

describe('a part of JSON', () => {
  const json = { name: 'Door', retention: { maxDays: 3 }, zones: [{ area: [[1, 2]] }, {}] };

  test('is found by its pointer', () => {
    expect(partAt(json, '')).toBe(json);
    expect(partAt(json, '/zones/0/area/0/1')).toBe(2);
    expect(partAt(json, '/zones/5/area')).toBeUndefined();
    expect(partAt(json, '/toString')).toBeUndefined();
  });

  test('is changed, made or removed in a copy', () => {
    expect(withPart(json, '/retention/maxDays', 4)).toEqual({ ...json, retention: { maxDays: 4 } });
    expect(withPart(json, '/motion/enable', true)).toEqual({ ...json, motion: { enable: true } });
    expect(withPart(json, '/zones/0', undefined)).toEqual({ ...json, zones: [{}] });
    expect(withPart(json, '/retention/maxDays', undefined)).toEqual({ ...json, retention: {} });
    expect(json.retention).toEqual({ maxDays: 3 });
  });

  test('is the same in whatever order its members are', () => {
    expect(isSame({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
    expect(isSame({ a: 1 }, { a: 1, b: 1 })).toBe(false);
    expect(isSame([1, 2], [2, 1])).toBe(false);
    expect(isSame([], {})).toBe(false);
  });
});

test.each([
  ['Front door', [], 'frontdoor'],
  ['Tür Süd', [], 'tuersued'],
  ['Café 2', ['cafe2'], 'cafe22'],
  ['門', ['camera'], 'camera2'],
  ['A camera with a very long name', ['acamerawithaverylongname'], 'acamerawithaverylongnam2'],
  ['', [], ''],
])('the id of a monitor named %j beside %j is %j', (name, taken, id) => {
  expect(idOfName(name, taken)).toBe(id);
});

test('what was typed for a source that is not in use is not sent', () => {
  const chosen = { ...newMonitor, id: 'hall', source: 'test', sourcetest: {} };
  expect(sentMonitor(chosen)).not.toHaveProperty('sourcertsp');
  const stored = { protocol: 'tcp', mainStream: 'rtsp://127.0.0.1/main' };
  const saved = { ...chosen, source: 'rtsp', sourcertsp: stored };
  expect(sentMonitor(chosen, saved)).toEqual({ ...chosen, sourcertsp: stored });
  expect(sentMonitor(saved, saved)).toEqual({ ...saved, sourcetest: {} });
});
