import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { rtspMonitor, testMonitor } from '../support/monitors.ts';
import { barriers, morePictures, openPage, screens } from '../support/pages.ts';
import { freePort } from '../support/ports.ts';
import { probe } from '../support/probe.ts';
import { project } from '../support/project.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/** The pages of a real recorder with a real camera in a real browser. Pictures of them are left in test/.cache/pages. */

const pictures = join(project, 'test/.cache/pages');
const user = { username: 'guest', password: 'battery staple' };
let camera: Camera;
let recorder: Recorder;
let browser: Browser;

beforeAll(async () => {
  camera = await startCamera({ mounts: { main: testMounts.h264(640, 360), sub: testMounts.h264() } });
  recorder = await startRecorder({
    accounts: [{ ...user, isAdmin: false }],
    monitors: [
      rtspMonitor('door', [camera.url('main'), camera.url('sub')], {
        name: 'Front door',
        alwaysRecord: true,
      }),
      rtspMonitor('gate', [`rtsp://127.0.0.1:${await freePort()}/main`], { name: 'Garden gate' }),
      testMonitor('attic', { name: 'Attic', enable: false }),
    ],
  });
  browser = await launchChromium();
  await mkdir(pictures, { recursive: true });
});

const themes = ['light', 'dark'] as const;
const looks = Object.entries(screens).flatMap(([screen, size]) =>
  themes.map((colorScheme) => ({ screen, colorScheme, size })),
);

test.each(looks)('the live view moves on a $screen, $colorScheme, and says what is wrong', async (look) => {
  const { colorScheme, size, screen } = look;
  const options = { ...size, colorScheme };
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/`, recorder.admin, options);
  await morePictures(page, 'door', 8);
  expect(new URL(page.url()).pathname).toBe('/live');
  const gate = page.locator('[data-monitor="gate"][data-mood="offline"]');
  await gate.waitFor();
  expect(await gate.textContent()).toMatch(/Offline since \d\d:\d\d *the camera cannot be reached/);
  expect(await page.locator('[data-monitor="attic"]').textContent()).toContain('Switched off');
  await page.screenshot({ path: join(pictures, `live-${screen}-${colorScheme}.png`) });
  expect(await barriers(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    size.viewport.width,
  );
  expect(complaints).toEqual([]);
  await close();
});

test('a monitor fills the page, and the keyboard leads there and back', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await page.getByRole('link', { name: 'Show Front door alone' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/live?monitor=door');
  await morePictures(page, 'door', 3);
  expect(await page.locator('.tile').count()).toBe(1);
  await page.keyboard.press('Escape');
  await page.waitForURL('**/live');
  await morePictures(page, 'door', 3);
  expect(complaints).toEqual([]);
  await close();
});

test('the picture comes back by itself after the camera was away', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await morePictures(page, 'door', 3);
  await camera.kill();
  await page.locator('[data-monitor="door"][data-mood="offline"]').waitFor();
  camera = await camera.restart();
  await recorder.change('POST', '/api/monitor/restart?id=door');
  await page.locator('[data-monitor="door"][data-mood="playing"]').waitFor();
  await morePictures(page, 'door', 3);
  expect(complaints).toEqual([]);
  await close();
});

test('people log in, are spoken to in German, see only what they may, and log out', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, null, {
    locale: 'de-DE',
  });
  await page.locator('input[name="username"]').fill(user.username);
  await page.locator('input[name="password"]').fill(user.password);
  await page.screenshot({ path: join(pictures, 'login-desktop.png') });
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/live');
  await page.locator('[data-monitor="attic"]').getByText('Ausgeschaltet').waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  expect(await page.locator('.bar nav a').allTextContents()).toEqual(['Live', 'Aufnahmen', 'API']);
  await page.locator('.preferences summary').click();
  await page.getByText('Angemeldet als guest').waitFor();
  await page.locator('.menu select').first().selectOption('dark');
  await page.locator('.menu select').last().selectOption('en');
  await page.locator('[data-monitor="attic"]').getByText('Switched off').waitFor();
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/login?next=*');
  // The browser itself reports each refusal: that of the login page's question whether there is a session.
  expect(complaints.filter((text) => !/status of 401/.test(text))).toEqual([]);
  await close();
});

test('the log is searched by its address, goes on by itself, and is for admins', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.locator('.badge[data-live="true"]').waitFor();
  await page.screenshot({ path: join(pictures, 'logs-desktop.png') });
  expect(await barriers(page)).toEqual([]);
  await page.getByLabel('Camera').selectOption('gate');
  await page.getByLabel('Info').check({ force: true });
  await page.getByLabel('Search').fill('requested by');
  await page.waitForURL('**/logs?levels=info&monitor=gate&text=requested+by');
  await page.getByText('No entry matches these filters').waitFor();
  await recorder.change('POST', '/api/monitor/restart?id=gate');
  await page.locator('.log .message', { hasText: "restart requested by 'admin'" }).waitFor();
  await page.reload();
  await page.locator('.log .message', { hasText: "restart requested by 'admin'" }).waitFor();
  expect(complaints).toEqual([]);
  await close();

  const guest = await openPage(browser, `${recorder.url}/logs`, user, screens.phone);
  await guest.page.getByText('Only administrators can see this page').waitFor();
  expect(guest.complaints).toEqual([]);
  await guest.close();
});

test('a recording of the day is found, played, and a part of it downloaded', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/recordings`, user);
  await page.getByText('Nothing was recorded on this day').waitFor();
  await page.getByLabel('Camera').selectOption('door');
  await page.locator('.recordings a').last().click();
  await page.waitForURL(/monitor=door&day=[\d-]+&time=\d+$/);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
  await page.screenshot({ path: join(pictures, 'recordings-desktop.png') });
  expect(await barriers(page)).toEqual([]);
  await page.getByText('Download a part').click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the part' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/\.mp4$/);
  const { errors, packets } = await probe(await download.path());
  expect(errors).toBe('');
  expect(packets.length).toBeGreaterThan(10);
  expect(complaints).toEqual([]);
  await close();
});
