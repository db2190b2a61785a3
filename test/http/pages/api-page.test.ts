import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { logInBrowser } from '../../support/chromium.ts';
import { atEnd } from '../../support/cleanup.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { project } from '../../support/project.ts';

/** The API page in a real browser. Pictures of it are left in test/.cache for whoever wants to look. */

const pictures = join(project, 'test/.cache/pages');
let door: FrontDoor;
let browser: Browser;

beforeAll(async () => {
  door = await openFrontDoor();
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  atEnd(() => browser.close());
  await mkdir(pictures, { recursive: true });
});

interface Opened {
  readonly page: Page;
  /** What the browser complained about. */
  readonly complaints: string[];
}

async function open(
  login: typeof admin,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Opened> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  atEnd(() => context.close());
  await logInBrowser(context, door.url, login);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${door.url}/api`);
  await page.waitForSelector('#status[data-state="ready"]');
  await page.waitForSelector('.opblock');
  return { page, complaints };
}

/** Opens an endpoint, runs it, and returns the status that the page shows. */
async function run(page: Page, method: string, path: string, body?: object): Promise<string> {
  const block = page
    .locator('.opblock', {
      has: page.locator('.opblock-summary-method', { hasText: new RegExp(`^${method}$`) }),
    })
    .filter({ has: page.locator(`[data-path="${path}"]`) });
  await block.locator('.opblock-summary-control').click();
  if (body) await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
  await block.locator('button.execute').click();
  return (await block.locator('.live-responses-table .response-col_status').last().textContent()) ?? '';
}

test('the page tries an endpoint, and puts an account with the token filled in by itself', async () => {
  const { page, complaints } = await open(admin, { viewport: { width: 1280, height: 900 } });
  await page.screenshot({ path: join(pictures, 'api-desktop.png') });
  expect(await run(page, 'GET', '/api/accounts')).toContain('200');
  const account = { id: 'made', username: 'made', isAdmin: false, plainPassword: 'by the page' };
  expect(await run(page, 'PUT', '/api/account', account)).toContain('201');
  expect(door.accounts.get('made')).toEqual({ id: 'made', username: 'made', isAdmin: false });
  await page.screenshot({ path: join(pictures, 'api-desktop-tried.png') });
  expect(complaints).toEqual([]);
});

test('the page shows the live feed', async () => {
  const { page, complaints } = await open(admin);
  await page.locator('#feed button').click();
  await page.waitForSelector('#feed-status[data-state="ready"]');
  door.log.info('<b>seen</b> by the page');
  await page.waitForFunction(() =>
    document.querySelector('#feed-output')?.textContent?.includes('<b>seen</b>'),
  );
  await page.locator('#feed button').click();
  await page.waitForSelector('#feed-status[data-state="idle"]');
  expect(complaints).toEqual([]);
});

test('the page says why the feed is refused', async () => {
  const { page } = await open(user);
  await page.locator('#feed button').click();
  const status = page.locator('#feed-status[data-state="failed"]');
  expect(await status.textContent()).toBe('Closed: refused, or the connection was lost (1006).');
});

test.each(['light', 'dark'] as const)('the page fits a phone, %s', async (colorScheme) => {
  const { page, complaints } = await open(admin, {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    colorScheme,
  });
  await page.screenshot({ path: join(pictures, `api-phone-${colorScheme}.png`) });
  await run(page, 'GET', '/api/log/query');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  await page.screenshot({ path: join(pictures, `api-phone-${colorScheme}-tried.png`) });
  expect(complaints).toEqual([]);
});
