import { beforeAll, expect, test } from 'vitest';
import { type FrontDoor, openFrontDoor } from '../../support/http-server.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
});

const answer = async (path: string) => {
  const response = await door.fetch(path);
  return { status: response.status, problem: (await response.json()) as { detail?: string } };
};

test.each([
  ['/api/log/query?level=error', 'level: unknown parameter. Expected levels, sources, monitors'],
  ['/api/log/stats?levels=error&from=1', 'from: unknown parameter. Expected group'],
  ['/api/recording/query?monitor=door', 'monitor: unknown parameter. Expected monitors'],
  ['/api/monitors?id=door', 'id: unknown parameter. Expected no parameters'],
  [`/api/monitors?${'x'.repeat(100)}=1`, `${'x'.repeat(40)}…: unknown parameter.`],
  ['/api/log/query?__proto__=1', '__proto__: unknown parameter.'],
])('an unknown parameter is named: GET %s', async (path, detail) => {
  const { status, problem } = await answer(path);
  expect(status).toBe(400);
  expect(problem.detail).toContain(detail);
});

test.each(['/api/log/export?format=csv', '/api/log/stats?', '/api/recording/query?'])(
  'a range that ends before it begins is refused: GET %s',
  async (path) => {
    const { status, problem } = await answer(`${path}&start=2000000&end=1000000`);
    expect(status).toBe(400);
    expect(problem.detail).toBe('/end: expected a time after start.');
  },
);

test('the address of a page may carry anything', async () => {
  const response = await door.fetch('/api?from=mail');
  expect(response.status).toBe(200);
});

test("SentryShot's example of a log query is answered as it is written", async () => {
  const { status } = await answer(
    '/api/log/query?levels=error,warning&sources=app,monitors=a,b&time=1234567890111222&limit=2',
  );
  expect(status).toBe(200);
});
