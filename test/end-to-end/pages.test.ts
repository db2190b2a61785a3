import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectClip } from '../support/gst-discoverer.ts';
import { motion, rtspMonitor, testMonitor } from '../support/monitors.ts';
import { barriers, morePictures, morePlayed, openPage, pagePictures, screens } from '../support/pages.ts';
import { freePort } from '../support/ports.ts';
import { probe } from '../support/probe.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** The pages of a real recorder with a real camera in a real browser. Pictures of them are left in test/.cache/pages. */

const user = { username: 'guest', password: 'battery staple' };
/** May see the yard alone. */
const neighbour = { username: 'neighbour', password: 'good fences' };
let camera: Camera;
let recorder: Recorder;
let browser: Browser;

beforeAll(async () => {
  camera = await startCamera({
    mounts: {
      main: testMounts.h264(640, 360),
      sub: testMounts.h264(),
      heard: testMounts.withAudio,
      hevc: testMounts.h265,
    },
  });
  recorder = await startRecorder({
    accounts: [
      { ...user, isAdmin: false },
      { ...neighbour, isAdmin: false, monitors: ['yard'] },
    ],
    monitors: [
      rtspMonitor('door', [camera.url('main'), camera.url('sub')], {
        name: 'Front door',
        alwaysRecord: true,
        motion,
      }),
      rtspMonitor('yard', [camera.url('heard')], { name: 'Yard', alwaysRecord: true }),
      rtspMonitor('gate', [`rtsp://127.0.0.1:${await freePort()}/main`], { name: 'Garden gate' }),
      testMonitor('attic', { name: 'Attic', enable: false }),
    ],
  });
  browser = await launchChromium();
});

type AheadWindow = Window & { readonly streamsAhead?: ReadonlyMap<string, unknown> };

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
  await page.screenshot({ path: join(pagePictures, `live-${screen}-${colorScheme}.png`) });
  expect(await barriers(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    size.viewport.width,
  );
  expect(complaints).toEqual([]);
  await close();
});

test('a monitor fills the page, and the keyboard leads there and back', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await morePictures(page, 'door', 1);
  // The document has opened the streams, and the tiles have taken them.
  expect(await page.evaluate(() => (window as AheadWindow).streamsAhead?.size)).toBe(0);
  await page.getByRole('link', { name: 'Show Front door alone' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/live?monitor=door');
  await morePictures(page, 'door', 3);
  // The link is gone.
  await page.locator('main:focus').waitFor();
  expect(await page.locator('.tile').count()).toBe(1);
  await page.keyboard.press('Escape');
  await page.waitForURL('**/live');
  await morePictures(page, 'door', 3);
  expect(complaints).toEqual([]);
  await close();
});

test('the sound of one camera is heard, and zones are drawn over the picture', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  const tile = (id: string) => page.locator(`.tile[data-monitor="${id}"]`);
  await morePictures(page, 'yard', 3);
  await tile('yard').getByRole('button', { name: 'Sound on' }).click();
  await tile('yard').getByRole('button', { name: 'Sound off' }).waitFor();
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-monitor="yard"] video');
    const heard = video as HTMLVideoElement & { readonly webkitAudioDecodedByteCount?: number };
    return heard !== null && !heard.muted && (heard.webkitAudioDecodedByteCount ?? 0) > 0;
  });
  await morePictures(page, 'yard', 5);
  await tile('door').getByRole('button', { name: 'Sound on' }).click();
  await tile('door').getByRole('status').getByText('This camera sends no sound').waitFor();
  await tile('yard').getByRole('button', { name: 'Sound on' }).waitFor();
  await page.getByText('Zones', { exact: true }).click();
  await tile('door').locator('.zones polygon[data-busy="true"]').waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await close();
});

test('a stream in H.265 gives way to the sub stream, and is explained where there is none', async () => {
  const monitors: Readonly<Record<string, readonly [string, string?]>> = {
    loft: [camera.url('hevc'), camera.url('sub')],
    cellar: [camera.url('hevc')],
  };
  for (const [id, urls] of Object.entries(monitors))
    await recorder.change('PUT', '/api/monitor', rtspMonitor(id, urls));
  const [both, alone] = await Promise.all(
    Object.keys(monitors).map((id) => openPage(browser, `${recorder.url}/live?monitor=${id}`, user)),
  );
  // Debian's Chromium has no decoder for it.
  await alone?.page.getByText('This browser cannot play H.265').waitFor();
  if (both) await morePictures(both.page, 'loft', 2);
  for (const id of Object.keys(monitors)) await recorder.change('DELETE', `/api/monitor?id=${id}`);
  for (const opened of [both, alone]) {
    expect(opened?.complaints).toEqual([]);
    await opened?.close();
  }
});

test('people log in, are spoken to in German, see only what they may, and log out', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, null, {
    locale: 'de-DE',
  });
  await page.locator('input[name="username"]').fill(user.username);
  await page.locator('input[name="password"]').fill(user.password);
  await page.screenshot({ path: join(pagePictures, 'login-desktop.png') });
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
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
  const navigations: string[] = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) navigations.push(request.url());
  });
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/login?next=*');
  // The end of the session is told by the answer and by each socket.
  expect(navigations).toHaveLength(1);
  // The browser itself reports each refusal: that of the login page's question whether there is a session.
  expect(complaints.filter((text) => !/status of 401/.test(text))).toEqual([]);
  await close();
});

test('the log is searched by its address, goes on by itself, and is for admins', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.locator('.badge[data-live="true"]').waitFor();
  await page.screenshot({ path: join(pagePictures, 'logs-desktop.png') });
  expect(await barriers(page)).toEqual([]);
  await page.getByLabel('Camera').selectOption('gate');
  // Debug is not asked for unless somebody wants it.
  expect(await page.getByLabel('Debug').isChecked()).toBe(false);
  for (const level of ['Errors', 'Warnings'])
    await page.getByLabel(level, { exact: true }).uncheck({ force: true });
  await page.getByLabel('Search').fill('requested by');
  await page.waitForURL('**/logs?levels=info&monitor=gate&text=requested+by');
  await page.getByText('No entry matches these filters').waitFor();
  await recorder.change('POST', '/api/monitor/restart?id=gate');
  await page.locator('.log .message', { hasText: "restart requested by 'admin'" }).waitFor();
  await page.locator('.preferences summary').click();
  // Fourteen hours before UTC, always.
  await page.getByLabel('Time zone').selectOption('Pacific/Kiritimati');
  await page.reload();
  await page.locator('.log .message', { hasText: "restart requested by 'admin'" }).waitFor();
  const written = page.locator('.log time').first();
  const local = new Date(Date.parse((await written.getAttribute('datetime')) ?? '') + 14 * 3_600_000);
  expect(await written.textContent()).toContain(local.toISOString().slice(11, 23));
  const chart = page.getByRole('slider', { name: /^Entries over time/ });
  await page.waitForFunction(() => /Info 1$/.test(document.querySelector('.log-chart p')?.textContent ?? ''));
  await chart.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/monitor=gate&text=requested\+by&since=\d+&until=\d+$/);
  await page.locator('.log .message', { hasText: "restart requested by 'admin'" }).waitFor();
  await page.getByRole('link', { name: 'Back to now' }).click();
  await page.waitForURL('**/logs?levels=info&monitor=gate&text=requested+by');

  await page.getByText('Ask in SQL').click();
  await page.getByLabel('Example').selectOption({ label: 'Events by hour and label' });
  await page
    .getByLabel('Statement')
    .fill('SELECT level, count(*) AS entries FROM logs GROUP BY ALL ORDER BY ALL');
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await page.locator('.sql-table td', { hasText: 'info' }).waitFor();
  await page.locator('.sql-chart rect').first().waitFor();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as CSV' }).click();
  expect(await readFile(await (await downloading).path(), 'utf8')).toMatch(/^level,entries\r?\n/);
  await page.screenshot({ path: join(pagePictures, 'sql-desktop.png'), fullPage: true });
  expect(await barriers(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await close();

  const guest = await openPage(browser, `${recorder.url}/logs`, user, screens.phone);
  await guest.page.getByText('Only administrators can see this page').waitFor();
  expect(guest.complaints).toEqual([]);
  await guest.close();
});

test('an address that is no page says so, in the look of the others, and leads on', async () => {
  const { page, close } = await openPage(browser, `${recorder.url}/cameras`, recorder.admin);
  const title = page.locator('.notice-title', { hasText: 'There is no such page' });
  await title.waitFor();
  expect(await page.title()).toBe('There is no such page · Sentrybus');
  await page.screenshot({ path: join(pagePictures, 'missing.png') });
  expect(await barriers(page)).toEqual([]);
  await page.locator('main a[href="/live"]').click();
  await page.locator('[data-monitor="door"]').waitFor();
  await title.waitFor({ state: 'detached' });
  await close();
});

test('an entry that is logged while the feed still connects is shown', async () => {
  const { page, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  const held: (() => void)[] = [];
  await page.routeWebSocket(/\/api\/logs\?/, (socket) => {
    held.push(() => void socket.connectToServer());
  });
  await page.goto(`${recorder.url}/logs?levels=info&monitor=gate&text=requested+by`);
  await waitFor(() => held.length > 0, 30_000, 'the feed to connect');
  const messages = page.locator('.log .message');
  const before = await messages.count();
  await recorder.change('POST', '/api/monitor/restart?id=gate');
  const path = '/api/log/query?levels=info&monitors=gate&text=requested+by';
  const logged = async () => ((await recorder.get(path)) as unknown[]).length;
  await waitFor(async () => (await logged()) > before, 30_000, 'the entry in the log');
  for (const connect of held.splice(0)) connect();
  await messages.nth(before).waitFor();
  expect(await messages.count()).toBe(before + 1);
  await close();
});

test('a recording of the day is found, played, and a part of it downloaded', async () => {
  const { page, complaints, close } = await openPage(
    browser,
    `${recorder.url}/recordings?monitor=attic`,
    user,
  );
  await page.locator('.list-choice').getByText('Recordings', { exact: true }).click();
  await page.getByText('Nothing was recorded in this time').waitFor();
  await page.getByLabel('Camera', { exact: true }).selectOption('door');
  await page.locator('.recordings a').last().click();
  await page.waitForURL(/monitor=door&day=[\d-]+&time=\d+$/);
  await morePlayed(page, 'door', 0.5);
  await page.screenshot({ path: join(pagePictures, 'recordings-desktop.png') });
  expect(await barriers(page)).toEqual([]);
  expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
  await page.getByText('Download a part').click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the part' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/\.mp4$/);
  await page.getByText('The part was downloaded').waitFor();
  const clip = await download.path();
  const { errors, packets } = await probe(clip);
  expect(errors).toBe('');
  expect(packets.length).toBeGreaterThan(10);
  await expectClip(clip, 0);

  const time = Number(new URL(page.url()).searchParams.get('time'));
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${recorder.url}/recordings?monitor=door&start=${time - 4e6}&end=${time + 6e6}`);
  await page.locator('.timeline-rows').hover();
  const preview = page.locator('.scrub canvas:visible');
  await preview.waitFor();
  // A ball before a dark ground.
  const shades = await preview.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
    return [...new Set(data?.filter((_, index) => index % 4 === 0))].length;
  });
  expect(shades).toBeGreaterThan(1);
  // Decoded here.
  expect(asked.filter((url) => url.includes('thumbnail.jpeg?time='))).toEqual([]);
  expect(complaints).toEqual([]);
  await close();
});

test('phones whose browser has ManagedMediaSource alone play recordings, and one without any says so', async () => {
  const address = `${recorder.url}/recordings?monitor=door`;
  const { page, complaints, close } = await openPage(browser, address, user, screens.phone);
  await page.addInitScript(() => {
    Object.assign(window, { ManagedMediaSource: MediaSource });
    Reflect.deleteProperty(window, 'MediaSource');
  });
  await page.reload();
  await page.locator('.list-choice').getByText('Recordings', { exact: true }).click();
  await page.locator('.recordings a').last().click();
  await morePlayed(page, 'door', 0.3);
  await page.addInitScript(() => Reflect.deleteProperty(window, 'ManagedMediaSource'));
  await page.reload();
  await page.getByText('This browser cannot play the recording (Media Source Extensions)').waitFor();
  expect(await page.getByText('This is the end of what was recorded').count()).toBe(0);
  expect(complaints).toEqual([]);
  await close();
});

test('what happened is on cards with pictures, which play it; admins protect and delete recordings', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/recordings`, recorder.admin);
  const card = page.locator('.event-cards [data-monitor="door"] a').first();
  await card.waitFor();
  expect(await card.textContent()).toMatch(/Motion *Front door *\d+ \w+, \d\d:\d\d:\d\d/);
  await card.locator('img').evaluate((image: HTMLImageElement) => image.decode());
  await card.click();
  await page.waitForURL(/camera=door&day=[\d-]+.*&time=\d+$/);
  await morePlayed(page, 'door', 0.3);
  await page.getByLabel('Kind of event').selectOption('motion');
  await page.waitForURL(/label=motion/);
  await page.reload();
  await card.waitFor();
  await page.getByRole('button', { name: 'Next event' }).click();
  await page.getByText('There is no further event').waitFor();

  await page.locator('.list-choice').getByText('Recordings', { exact: true }).click();
  const oldest = page.locator('.recordings li').last();
  await oldest.getByRole('button', { name: 'Protect' }).click();
  await oldest.getByRole('button', { name: 'Protected' }).click();
  const first = await page.locator('.recordings li').count();
  await recorder.change('POST', '/api/monitor/restart?id=yard');
  // The restart has ended a recording, which can be deleted then.
  await page.getByRole('button', { name: 'Delete' }).first().click({ timeout: 30_000 });
  expect(await barriers(page)).toEqual([]);
  await page.getByRole('button', { name: 'Delete the recording' }).click();
  await page.waitForFunction((before) => document.querySelectorAll('.recordings li').length <= before, first);
  expect(complaints).toEqual([]);
  await close();
});

test('who may see one camera alone finds nothing of others', async () => {
  const address = `${recorder.url}/recordings?monitor=door,yard`;
  const { page, complaints, close } = await openPage(browser, address, neighbour);
  await page.locator('.timeline-names').getByText('Yard').waitFor();
  await page.getByText('Nothing happened in this time').waitFor();
  await page.locator('.list-choice').getByText('Recordings', { exact: true }).click();
  await page.locator('.recordings a').first().waitFor();
  expect(await page.getByRole('button', { name: 'Motion' }).count()).toBe(0);
  expect(await page.getByText('Front door').count()).toBe(0);
  expect(complaints).toEqual([]);
  await close();
});

// Each size and each theme once.
test.each(looks.filter((_, n) => n === 0 || n === 3))(
  'the timeline plays cameras in step on a $screen, $colorScheme',
  async (look) => {
    const { colorScheme, size, screen } = look;
    const options = { ...size, colorScheme };
    const address = `${recorder.url}/recordings?monitor=door,yard`;
    const { page, complaints, close } = await openPage(browser, address, recorder.admin, options);
    const timeline = page.getByRole('slider', { name: /^Time\./ });
    await page.getByRole('button', { name: 'Motion' }).waitFor();
    await timeline.focus();
    await page.keyboard.press('End');
    await page.waitForURL(/time=\d+$/);
    for (let round = 0; round < 8; round += 1) await page.keyboard.press('+');
    await page.waitForURL(/start=\d+&end=\d+&time=\d+$/);
    // A little earlier, both have recorded.
    for (let round = 0; round < 4; round += 1) await page.keyboard.press('ArrowLeft');
    await Promise.all([morePlayed(page, 'door', 0.3), morePlayed(page, 'yard', 0.3)]);
    const apart = await page.evaluate(() => {
      const [a, b] = [...document.querySelectorAll<HTMLVideoElement>('.player video')];
      return Math.abs((a?.currentTime ?? 0) - (b?.currentTime ?? 99));
    });
    expect(apart).toBeLessThan(1);
    await page.getByRole('button', { name: 'Pause' }).click();
    const shown = await page.locator('.player-clock').getAttribute('datetime');
    await page.keyboard.press('.');
    await page.waitForFunction(
      (before) => document.querySelector('.player-clock')?.getAttribute('datetime') !== before,
      shown,
    );
    await page.screenshot({
      path: join(pagePictures, `timeline-${screen}-${colorScheme}.png`),
      fullPage: true,
    });
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      size.viewport.width,
    );
    expect(complaints).toEqual([]);
    await close();
  },
);

// The last: the camera that it starts ends with it.
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
