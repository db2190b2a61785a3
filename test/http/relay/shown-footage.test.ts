import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tenureRank } from '../../../bus/messages.ts';
import { type FootageMachine, footagePreferences } from '../../../http/relay/footage/footage-preferences.ts';
import { shownFootage } from '../../../http/relay/footage/shown-footage.ts';
import { joinPlaylists } from '../../../store/recordings/playback/joined-playlist.ts';

const second = 1_000_000;
const of = (machine: string, start: number, end: number) => ({
  ...{ machine, start: start * second, end: end * second },
});
const span = { start: 0, end: 100 * second };
const shown = (...recorded: ReturnType<typeof of>[]) => shownBy([[0, 'abc']], ...recorded);
/** @param preferences from this second on, these machines, the best first. */
const shownBy = (preferences: readonly [number, string][], ...recorded: ReturnType<typeof of>[]) =>
  shownFootage(
    recorded,
    preferences.map(([at, machines]) => ({ start: at * second, machines: [...machines] })),
    span,
  ).map(({ machine, start, end }) => [machine, start / second, end / second]);

test('the first machine is shown, and others where it has nothing', () => {
  expect(shown()).toEqual([]);
  expect(shown(of('b', -10, 200))).toEqual([['b', 0, 100]]);
  expect(shown(of('a', -10, 200), of('b', 0, 100))).toEqual([['a', 0, 100]]);
  // A takeover, and the way back.
  expect(shown(of('a', 0, 30), of('b', 33, 70), of('a', 68, 100))).toEqual([
    ['a', 0, 33],
    ['b', 33, 68],
    ['a', 68, 100],
  ]);
  expect(shown(of('c', 0, 50), of('b', 40, 60), of('a', 55, 65))).toEqual([
    ['c', 0, 40],
    ['b', 40, 55],
    ['a', 55, 100],
  ]);
  // What two others have of one gap.
  expect(shown(of('a', 0, 10), of('b', 5, 20), of('c', 15, 30), of('a', 40, 100))).toEqual([
    ['a', 0, 10],
    ['b', 10, 20],
    ['c', 20, 40],
    ['a', 40, 100],
  ]);
});

test('the moment between two files is no gap, unless it is all that is asked for', () => {
  const border = [of('a', 0, 50), of('a', 50.2, 100), of('b', 0, 100)];
  expect(shown(...border)).toEqual([['a', 0, 100]]);
  const moment = { start: 50.05 * second, end: 50.15 * second };
  expect(shownFootage(border, [{ start: 0, machines: ['a', 'b'] }], moment)).toEqual([
    { machine: 'b', ...moment },
  ]);
});

test('who comes first is another one from a time on, unless for less than a second', () => {
  const all = ['a', 'b', 'c'].map((machine) => of(machine, 0, 100));
  const parts = [
    ['a', 0, 40],
    ['b', 40, 100],
  ];
  const changes: [number, string][] = [
    [-50, 'abc'],
    [40, 'bac'],
  ];
  expect(shownBy(changes, ...all)).toEqual(parts);
  const brief: [number, string][] = [
    [-50, 'abc'],
    [39.5, 'cab'],
    [40, 'bac'],
  ];
  expect(shownBy(brief, ...all)).toEqual(parts);

  // A gap of the better one, and one across the change.
  expect(shownBy(changes, of('a', 0, 100), of('b', 0, 60), of('b', 70, 100))).toEqual([
    ['a', 0, 40],
    ['b', 40, 60],
    ['a', 60, 70],
    ['b', 70, 100],
  ]);
  expect(shownBy(changes, of('a', 0, 20), of('b', 60, 100), of('c', 0, 100))).toEqual([
    ['a', 0, 20],
    ['c', 20, 60],
    ['b', 60, 100],
  ]);
  expect(shownBy(changes, of('a', 0, 100))).toEqual([['a', 0, 100]]);
  // What is missing just before the change, and on both sides of it.
  expect(shownBy(changes, of('a', 0, 39.5), of('b', 0, 100))).toEqual([
    ['a', 0, 39.5],
    ['b', 39.5, 100],
  ]);
  const others: [number, string][] = [
    [-50, 'abc'],
    [40, 'acb'],
  ];
  expect(shownBy(others, of('a', 0, 39.1), of('a', 40.9, 100), of('b', 0, 100))).toEqual([
    ['a', 0, 39.1],
    ['b', 39.1, 40.9],
    ['a', 40.9, 100],
  ]);
});

test("whoever had the token comes first, then who stands in, then today's owner, and who is not heard last", () => {
  const known = (...heard: boolean[]) =>
    ['a', 'b', 'c'].map((machine, index) => ({
      ...{ machine, isHeard: heard[index] ?? true, isOwner: machine === 'c' },
    }));
  const rank = (machine: string, time: number, token: number | null, provisional: boolean) => ({
    ...{ machine, time, rank: tenureRank({ token, provisional }) },
  });
  const tenures = [
    rank('a', 10, 5, false),
    rank('b', 20, 5, true),
    rank('b', 30, 7, false),
    rank('a', 40, null, false),
    rank('b', 50, 0, true),
  ];
  const orders = (machines: readonly FootageMachine[]) =>
    footagePreferences(machines, tenures).map(({ start, machines: order }) => [start, order.join('')]);
  expect(orders(known())).toEqual([
    [0, 'cab'],
    [10, 'acb'],
    [20, 'abc'],
    [30, 'bac'],
    [40, 'bca'],
  ]);
  expect(orders(known(false)).map(([, order]) => order)).toEqual(['cba', 'bca']);
  expect(footagePreferences([], tenures)).toEqual([{ start: 0, machines: [] }]);
});

test("whatever is recorded and preferred: a moment with footage is somebody's who has it, or within a second of that", () => {
  const machine = fc.constantFrom('a', 'b', 'c');
  // Half of them meet, as files and takeovers do, and half are shorter than a gap that is filled.
  const start = fc.oneof(fc.integer({ min: -50, max: 1050 }), fc.integer({ min: 0, max: 20 }));
  const length = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 }));
  const recorded = fc.array(fc.tuple(machine, start, length), { minLength: 1, maxLength: 12 });
  const order = fc.shuffledSubarray(['a', 'b', 'c'], { minLength: 3 });
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), order), { maxLength: 8 });
  fc.assert(
    fc.property(recorded, order, changes, (files, first, later) => {
      const footage = files.map(([name, from, tenths]) => of(name, from / 10, (from + tenths) / 10));
      const preferences = [[-100, first] as const, ...later.sort(([x], [y]) => x - y)].map(
        ([at, machines]) => ({ start: (at / 10) * second, machines }),
      );
      const parts = shownFootage(footage, preferences, span);
      const has = (name: string, at: number) =>
        footage.some((one) => one.machine === name && one.start <= at && at < one.end);
      const all = Array.from({ length: 1000 }, (_, tenth) => ((tenth + 0.5) / 10) * second);
      const at = (time: number) => parts.find(({ start, end }) => start <= time && time < end)?.machine ?? '';
      if (parts.length === 0) return all.every((time) => !footage.some((one) => has(one.machine, time)));
      expect([parts[0]?.start, parts.at(-1)?.end]).toEqual([span.start, span.end]);
      // So many tenths of a second in a row are not shown, though somebody has them.
      let missed = 0;
      for (const time of all) {
        missed = has(at(time), time) || !footage.some((one) => has(one.machine, time)) ? 0 : missed + 1;
        if (missed > 10) return false;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

test('playlists follow each other with a discontinuity, and the longest segment of all', () => {
  const playlist = (file: string, seconds: number) =>
    [
      ...['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${seconds}`, '#EXT-X-MEDIA-SEQUENCE:0'],
      ...[`#EXT-X-MAP:URI="${file}",BYTERANGE="700@0"`, `#EXTINF:${seconds}.0,`, file, '#EXT-X-ENDLIST\n'],
    ].join('\n');
  expect(joinPlaylists([playlist('a', 4), playlist('b', 9)]).split('\n')).toEqual([
    ...['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:9', '#EXT-X-MEDIA-SEQUENCE:0'],
    ...['#EXT-X-MAP:URI="a",BYTERANGE="700@0"', '#EXTINF:4.0,', 'a', '#EXT-X-DISCONTINUITY'],
    ...['#EXT-X-MAP:URI="b",BYTERANGE="700@0"', '#EXTINF:9.0,', 'b', '#EXT-X-ENDLIST', ''],
  ]);
  expect(joinPlaylists([playlist('a', 4)])).toBe(playlist('a', 4));
});
