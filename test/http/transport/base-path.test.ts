import { expect, test } from 'vitest';
import { compileValidator } from '../../../store/base/validator.ts';
import { ConfigFile } from '../../../store/config/config-schema.ts';
import { launchChromium } from '../../support/chromium.ts';
import { admin, openFrontDoor } from '../../support/http-server.ts';
import { routeTable } from '../../support/route-table.ts';

test('below a sub-path, with it or without, everything leads to where the proxy has it', async () => {
  const door = await openFrontDoor({ basePath: '/nvr' });
  const html = { accept: 'text/html' };
  for (const [path, location] of [
    ['/nvr', '/nvr/login'],
    ['/nvr/recordings?at=1', '/nvr/login?next=%2Frecordings%3Fat%3D1'],
    ['/recordings', '/nvr/login?next=%2Frecordings'],
  ] as const) {
    const answer = await door.fetch(path, { headers: html }, null);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, location]);
  }
  expect((await door.fetch('/nvr/')).headers.get('location')).toBe('/nvr/live');
  expect((await door.fetch('/nvr/api/accounts')).status).toBe(200);
  expect((await door.fetch('/nvrx/api/accounts')).status).toBe(404);
  const { servers } = (await (await door.fetch('/nvr/api/openapi.json')).json()) as { servers: object };
  expect(servers).toEqual([{ url: '/nvr' }]);
  const feed = await door.feed('/nvr/api/logs');
  feed.socket.close();

  const context = await (await launchChromium()).newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = await context.newPage();
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const { protocol, pathname } = new URL(request.url());
    if (protocol === 'https:' && !pathname.startsWith('/nvr/')) elsewhere.push(pathname);
  });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // The login page asks whether there is a session.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  await page.goto(`${door.url}/nvr/logs?monitors=door`);
  await page.getByLabel('User name').fill(admin.username);
  await page.getByLabel('Password').fill(admin.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL(/\/nvr\/logs\?monitors=door$/);
  for (const [name, path] of [
    ['Recordings', 'recordings'],
    ['Settings', 'settings'],
    ['API', 'api'],
  ] as const) {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
    await page.waitForURL(new RegExp(`/nvr/${path}$`));
  }
  await page.waitForSelector('.opblock');
  await page.goBack();
  await page.waitForURL(/\/nvr\/settings$/);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.reload();
  await page.getByRole('navigation').getByRole('link', { name: 'API', exact: true }).waitFor();
  expect([elsewhere, complaints]).toEqual([[], []]);
});

test('no path of the recorder itself can be its base path', () => {
  const check = compileValidator(ConfigFile);
  const own = new Set(routeTable().map(({ path }) => `/${path.split('/')[1]}`));
  expect(own.delete('/')).toBe(true);
  expect(own.size).toBeGreaterThan(5);
  for (const base_path of own) expect(check({ base_path }), base_path).toBeDefined();
  expect(check({ base_path: '/nvr' })).toBeUndefined();
});
