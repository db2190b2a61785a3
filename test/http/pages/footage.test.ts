import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  dayLater,
  dayOf,
  fieldTime,
  rangeOf,
  timeOfField,
} from '../../../http/pages/app/recordings/footage/day.ts';
import { kindsIn } from '../../../http/pages/app/recordings/footage/occurrence.ts';
import { labelsIn } from '../../../http/pages/app/recordings/footage/span-timeline.ts';
import {
  firstPictureRange,
  firstPictureS,
  readHead,
} from '../../../http/pages/app/recordings/player/movie-bytes.ts';
import { readPlaylist } from '../../../http/pages/app/recordings/player/playlist-index.ts';
import {
  following,
  moved,
  scaleMarks,
  zoomed,
} from '../../../http/pages/app/recordings/timeline/time-scale.ts';
import { chooseTimeZone, timeZone } from '../../../http/pages/app/texts/chosen-zone.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { fileBytes } from '../../support/recorded.ts';

/** What the page of recordings computes, without a browser. Its clock is that of Berlin. */

vi.stubEnv('TZ', 'Europe/Berlin');
vi.hoisted(() => vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} }));
const second = 1e6;
const hour = 3600 * second;

describe('events', () => {
  test('are named by what they show: objects first, the most certain of them before others', () => {
    const labels = { car: 50, person: 80, zone0: 99, zone3: 1 };
    expect(kindsIn(labels)).toEqual(['person', 'car', 'motion']);
  });

  test('are counted for a recording of their camera alone', () => {
    const monitor = { recorded: [], events: { person: [[0, 2] as const, [5, 1] as const] } };
    const monitors = [
      { id: 'door', ...monitor },
      { id: 'yard', ...monitor },
    ];
    const timeline = { start: 0, end: 10 * second, bucket: second, monitors };
    expect(labelsIn(timeline, 'door', 0, 2 * second)).toEqual([['person', 2]]);
  });
});

describe('the timeline', () => {
  test('zooms around a time that stays where it is, within its limits', () => {
    const day = { start: 0, end: 24 * hour };
    expect(zoomed(day, 0.5, 6 * hour)).toEqual({ start: 3 * hour, end: 15 * hour });
    const { start, end } = zoomed(day, 1e-9, 6 * hour);
    expect(end - start).toBe(5 * second);
    expect(moved(day, hour)).toEqual({ start: hour, end: 25 * hour });
    expect(following(day, 5 * hour)).toBe(day);
    expect(following(day, 24 * hour).start).toBeCloseTo(21.6 * hour);
  });

  test('has marks at round times of the zone, also where the clocks are set', () => {
    const times = (from: string, hours: number, width: number) => {
      const start = new Date(from).getTime() * 1000;
      return scaleMarks({ start, end: start + hours * hour }, width).map(({ time, unit }) => [
        new Date(time / 1000).toLocaleString('sv'),
        unit,
      ]);
    };
    expect(times('2026-11-25T23:55', 1, 500)).toEqual([
      ['2026-11-26 00:00:00', 'day'],
      ['2026-11-26 00:10:00', 'minute'],
      ['2026-11-26 00:20:00', 'minute'],
      ['2026-11-26 00:30:00', 'minute'],
      ['2026-11-26 00:40:00', 'minute'],
      ['2026-11-26 00:50:00', 'minute'],
    ]);
    expect(times('2026-03-28T18:00', 14, 200)).toEqual([
      ['2026-03-28 18:00:00', 'minute'],
      ['2026-03-29 00:00:00', 'day'],
      ['2026-03-29 06:00:00', 'minute'],
    ]);
    const days = times('2026-10-20T12:00', 24 * 10, 800);
    expect(days.every(([text, unit]) => /00:00:00$/.test(String(text)) && unit === 'day')).toBe(true);
    expect(days.length).toBeGreaterThan(4);
  });
});

describe('a time zone that was chosen', () => {
  beforeEach(() => chooseTimeZone('America/New_York'));
  afterEach(() => chooseTimeZone(''));

  test('has its own days, also where the clocks are set', () => {
    const utc = (text: string) => Date.parse(text) * 1000;
    expect(rangeOf('2026-11-01')).toEqual({ start: utc('2026-11-01T04:00Z'), end: utc('2026-11-02T05:00Z') });
    expect(dayOf(utc('2026-11-26T04:59Z'))).toBe('2026-11-25');
    expect(dayLater('2026-10-31', 2)).toBe('2026-11-02');
    expect(fieldTime(utc('2026-07-01T12:00:07Z'))).toBe('2026-07-01T08:00:07');
    expect(timeOfField('2026-07-01T08:00')).toBe(utc('2026-07-01T12:00Z'));
    expect(timeOfField('2026-11-01T03:00')).toBe(utc('2026-11-01T08:00Z'));
  });

  test('has its own round times', () => {
    const start = Date.parse('2026-11-26T02:30Z') * 1000;
    const marks = scaleMarks({ start, end: start + 12 * hour }, 200).map(({ time, unit }) => [
      new Date(time / 1000).toISOString().slice(11, 16),
      unit,
    ]);
    expect(marks).toEqual([
      ['05:00', 'day'],
      ['11:00', 'minute'],
    ]);
  });

  test('that a browser does not know is its own', () => {
    chooseTimeZone('Mars/Olympus');
    expect(timeZone.value).toBe('');
  });
});

describe('the player', () => {
  test('finds parts of files and their times in a playlist, across a gap', () => {
    const text = [
      ...['#EXTM3U', '#EXT-X-MAP:URI="../../recording/a/video.mp4",BYTERANGE="700@0"'],
      ...[
        '#EXT-X-PROGRAM-DATE-TIME:2026-11-26T10:00:00.000Z',
        '#EXTINF:2.000000,',
        '#EXT-X-BYTERANGE:50@700',
      ],
      ...['../../recording/a/video.mp4', '#EXTINF:1.500000,', '#EXT-X-BYTERANGE:60@750'],
      ...['../../recording/a/video.mp4', '#EXT-X-DISCONTINUITY'],
      ...['#EXT-X-MAP:URI="../../recording/b/video.mp4",BYTERANGE="800@0"'],
      ...[
        '#EXT-X-PROGRAM-DATE-TIME:2026-11-26T10:01:00.000Z',
        '#EXTINF:2.000000,',
        '#EXT-X-BYTERANGE:70@800',
      ],
      ...['../../recording/b/video.mp4', '#EXT-X-ENDLIST', ''],
    ].join('\n');
    const ten = Date.UTC(2026, 10, 26, 10) * 1000;
    const [a, b] = ['a', 'b'].map((id) => `/api/recording/${id}/video.mp4`);
    expect(readPlaylist(text, 'https://recorder/api/monitor/door/playlist.m3u8')).toEqual([
      { file: a, initBytes: 700, offset: 700, bytes: 50, start: ten, end: ten + 2 * second },
      { file: a, initBytes: 700, offset: 750, bytes: 60, start: ten + 2 * second, end: ten + 3.5 * second },
      { file: b, initBytes: 800, offset: 800, bytes: 70, start: ten + 60 * second, end: ten + 62 * second },
    ]);
  });

  test('reads the codec and the times of what the recorder writes', async () => {
    await makeVideo();
    const file = Uint8Array.from(fileBytes(video.slice(0, 1))).buffer;
    const head = readHead(file);
    expect(head?.mime).toMatch(/^video\/mp4; codecs="avc[13]\.[0-9A-F]{6}"$/);
    expect(head && firstPictureS(file, head)).toBe(0);
  });

  test('finds a key frame, and what decodes it, without the rest of its fragment', async () => {
    await makeVideo();
    const [first] = video;
    const file = Uint8Array.from(fileBytes(video.slice(0, 1))).buffer;
    const head = readHead(file);
    const whole = file.slice(first?.layout.init.length);
    // No more than the index of the fragment was read.
    const range = head && firstPictureRange(whole.slice(0, new DataView(whole).getUint32(0)), head);
    const found = range && Buffer.from(whole, range.offset, range.bytes);
    expect(found?.equals(first?.video[0]?.data ?? Buffer.alloc(0))).toBe(true);
    const profile = head?.decoder.codec.slice(5, 7);
    expect(head?.decoder.description.getUint8(1)).toBe(Number.parseInt(profile ?? '', 16));
  });
});
