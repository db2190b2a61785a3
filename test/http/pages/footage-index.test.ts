import { beforeEach, expect, test, vi } from 'vitest';
import { FootageIndex } from '../../../http/pages/app/recordings/player/footage-index.ts';
import { waitFor } from '../../support/wait.ts';

/** Where the recordings of a monitor are, as a player learns it, without a browser and without a recorder. */

vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => 'en', setItem: () => {} });
  vi.stubGlobal('document', { querySelector: () => null });
  vi.stubGlobal('location', { href: 'https://nvr.test/recordings' });
});

const second = 1e6;
const minute = 60 * second;
/** Long ago: nothing is being recorded. */
const began = Date.UTC(2026, 2, 4, 10) * 1000;
const files = [
  { id: 'first', start: began, end: began + 3 * minute },
  { id: 'second', start: began + 63 * minute, end: began + 66 * minute },
].map((file) => ({ ...file, monitorID: 'door', state: 'saved', away: false }));
const address = (id: string) => `/api/recording/${id}/video.mp4`;

let asked: string[];
beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path);
    const { pathname, searchParams } = new URL(path, 'https://nvr.test');
    const [start = 0, end = 0] = ['start', 'end'].map((name) => Number(searchParams.get(name)));
    if (pathname === '/api/recording/query') return Response.json(files.filter((file) => file.end > start));
    return new Response(playlist(start, end));
  });
});

/** A part of ten seconds after the other. */
function playlist(start: number, end: number): string {
  const parts = files.flatMap((file) => {
    const count = Math.round((file.end - file.start) / (10 * second));
    const begins = Array.from({ length: count }, (_, n) => file.start + n * 10 * second);
    return begins
      .filter((begin) => begin < end && begin + 10 * second > start)
      .map((begin) => {
        const time = new Date(begin / 1000).toISOString();
        return [
          `#EXT-X-MAP:URI="${address(file.id)}",BYTERANGE="100@0"\n#EXT-X-PROGRAM-DATE-TIME:${time}`,
          `#EXTINF:10.0,\n#EXT-X-BYTERANGE:10@100\n${address(file.id)}`,
        ].join('\n');
      });
  });
  return ['#EXTM3U', ...parts].join('\n');
}

async function indexAt(time: number): Promise<FootageIndex> {
  const index = new FootageIndex('door');
  index.look(time);
  await waitFor(() => index.knows(time), 5000, 'an answer');
  return index;
}

test('a gap that is longer than what is asked for at once leads to the next recording', async () => {
  const index = await indexAt(began + minute);
  const end = began + 3 * minute;
  expect(index.at(end + minute)).toBeUndefined();
  expect(index.nextStart(end)).toBe(files[1]?.start);
  index.look(began + 63 * minute + 1);
  await waitFor(() => index.at(began + 63 * minute + 1), 5000, 'its parts');
  expect(index.nextStart(began + 67 * minute)).toBeUndefined();
});

test('a recording that is deleted meanwhile is left out', async () => {
  const index = await indexAt(began + minute);
  expect(index.at(began + minute)?.file).toBe(address('first'));
  index.forget(address('first'));
  expect(index.at(began + minute)).toBeUndefined();
  expect(index.fileAt(began + minute)).toBeUndefined();
  expect(index.nextStart(began + minute)).toBe(files[1]?.start);
});
