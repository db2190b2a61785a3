import { beforeAll, expect, test } from 'vitest';
import type { CatalogueProgress } from '../../../store/recordings/verification/catalogue-rebuild.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import { openFrontDoor } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';

beforeAll(makeVideo);

test('answers that are made from an incomplete catalogue say so', async () => {
  let progress: CatalogueProgress = { state: 'checking', added: 0, missing: 0 };
  const door = await openFrontDoor({ catalogueProgress: () => progress });
  await addFootage(door, { start: began, fragments: video.slice(0, 5) });
  const span = `start=${began}&end=${began + 4 * second}`;
  const paths = [
    '/api/recording/query',
    `/api/timeline?${span}`,
    `/api/monitor/door/playlist.m3u8?${span}`,
    `/api/monitor/door/clip.mp4?${span}`,
  ];
  const headers = async () => {
    const answers = await Promise.all(paths.map((path) => door.fetch(path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    return new Set(answers.map((answer) => answer.headers.get('x-catalogue-incomplete')));
  };
  expect(await headers()).toEqual(new Set(['checking']));
  progress = { state: 'rebuilding', added: 1200, missing: 200_000 };
  expect(await headers()).toEqual(new Set(['rebuilding; added=1200; missing=200000']));
  expect((await (await door.fetch('/api/storage')).json()).catalogue).toEqual(progress);
  progress = { state: 'complete', added: 200_000, missing: 200_000 };
  expect(await headers()).toEqual(new Set([null]));
});

test('an account that may see some monitors hears of what the catalogue misses of theirs', async () => {
  const missing: Readonly<Record<string, number>> = { door: 3, gate: 40 };
  const door = await openFrontDoor({
    catalogueProgress: (maySee = () => true) => {
      const seen = Object.keys(missing).filter(maySee);
      const sum = seen.reduce((total, id) => total + (missing[id] ?? 0), 0);
      return { state: sum > 0 ? 'rebuilding' : 'complete', added: 0, missing: sum };
    },
  });
  const guests = ['door', 'yard'].map((id) => ({ username: id, password: 'battery staple', monitors: [id] }));
  for (const { username, password, monitors } of guests)
    await door.accounts.put({ id: username, username, isAdmin: false, plainPassword: password, monitors });
  const span = `start=${began}&end=${began + 4 * second}`;
  const heard = (login: (typeof guests)[number] | undefined) =>
    Promise.all(
      ['/api/recording/query', `/api/timeline?${span}`].map(async (path) =>
        (await door.fetch(path, {}, login)).headers.get('x-catalogue-incomplete'),
      ),
    );
  const both = (text: string | null) => [text, text];
  expect(await heard(undefined)).toEqual(both('rebuilding; added=0; missing=43'));
  expect(await heard(guests[0])).toEqual(both('rebuilding; added=0; missing=3'));
  expect(await heard(guests[1])).toEqual(both(null));
});
