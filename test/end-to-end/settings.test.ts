import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { testMonitor } from '../support/monitors.ts';
import { barriers, morePictures, openPage, screens } from '../support/pages.ts';
import { project } from '../support/project.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/** The settings of a real recorder in a real browser. Pictures of them are left in test/.cache/pages. */

const pictures = join(project, 'test/.cache/pages');
const user = { username: 'guest', password: 'battery staple' };
let camera: Camera;
let recorder: Recorder;
let browser: Browser;

beforeAll(async () => {
  camera = await startCamera({
    mounts: { main: testMounts.h264(640, 360), sub: testMounts.h264() },
    ...{ user: 'viewer', password: 'p@ss/word' },
  });
  recorder = await startRecorder({
    accounts: [{ ...user, isAdmin: false }],
    monitors: [testMonitor('attic', { name: 'Attic', enable: false })],
  });
  browser = await launchChromium();
  await mkdir(pictures, { recursive: true });
});

/** Nobody is shut out by the page, and nothing is wider than the screen. */
async function expectGoodPage(page: Page, picture: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${picture}.png`), fullPage: true });
  expect(await barriers(page)).toEqual([]);
  const { width } = page.viewportSize() ?? { width: 0 };
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
}

const field = (page: Page, name: string | RegExp) =>
  page.getByLabel(name, { exact: typeof name === 'string' });

test('a camera is tried, saved and seen; its password is typed once and never shown again', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Add a camera' }).click();
  await field(page, 'Name').fill('Front door');
  const id = await field(page, 'Id').inputValue();
  // With a number if the test is tried again.
  expect(id).toMatch(/^frontdoor\d?$/);
  await field(page, 'Address').fill(camera.url('main', 'viewer', 'wrong'));
  await field(page, 'Address').blur();
  expect(await field(page, 'Address').inputValue()).toBe(camera.url('main', undefined));
  expect(await field(page, 'User name of the camera').inputValue()).toBe('viewer');
  await page.getByRole('button', { name: 'Test the camera' }).click();
  await page.getByText(/The camera cannot be used: .*password/).waitFor();
  await field(page, 'Password of the camera').fill('p@ss/word');
  await field(page, 'Address of the sub stream').fill(camera.url('sub', undefined));
  await page.getByRole('button', { name: 'Test the camera' }).click();
  await page.getByText('The camera works.').waitFor();
  expect(await page.locator('.found').first().textContent()).toMatch(/H\.264.*640 × 360.*Soundnone/);
  expect(await page.locator('.found').last().textContent()).toContain('320 × 240');
  const picture = page.getByAltText('First picture of the camera').first();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(640);
  await expectGoodPage(page, 'settings-new-camera-desktop');

  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(`**/settings?monitor=${id}`);
  await page.getByText('Saved. The camera comes back by itself:').waitFor();
  await page.locator('.state[data-state="streaming"]').waitFor();
  await morePictures(page, id, 3);
  expect(await field(page, 'Password of the camera').inputValue()).toBe('');
  expect(await page.content()).not.toContain('p@ss');

  await field(page, 'Address').fill(`${camera.url('main', undefined)}?x`);
  await page.getByText('There are changes that are not saved.').waitFor();
  await page.getByRole('button', { name: 'Discard changes' }).click();
  expect(await field(page, 'Address').inputValue()).toBe(camera.url('main', undefined));
  await field(page, 'Name').fill('Entrance');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.save-bar[data-changed="false"]').waitFor();
  const stored = await recorder.get<Record<string, { sourcertsp: { mainStream: string } }>>('/api/monitors');
  expect(stored[id]).toMatchObject({
    name: 'Entrance',
    sourcertsp: { mainStream: camera.url('main', 'viewer', '********').replaceAll('%2A', '*') },
  });
  // Still with the right password.
  await page.locator('.state[data-state="streaming"]').waitFor();
  expect(complaints).toEqual([]);
  await close();
});

test('what the recorder refuses is said at its field, and a page with changes is not left by accident', async () => {
  const address = `${recorder.url}/settings?monitor=attic`;
  const { page, complaints, close } = await openPage(browser, address, recorder.admin, screens.phone);
  await field(page, 'Longest file').fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  const length = field(page, 'Longest file');
  const sentence = 'Expected a number of minutes above 0, at most 10080.';
  await page.getByRole('alert').getByText(sentence).waitFor();
  expect(await length.getAttribute('aria-invalid')).toBe('true');
  expect(await length.evaluate((element) => element === document.activeElement)).toBe(true);
  const describedBy = (await length.getAttribute('aria-describedby'))?.split(' ').at(-1) ?? '';
  expect(await page.locator(`[id="${describedBy}"]`).textContent()).toBe(sentence);
  await expectGoodPage(page, 'settings-refused-phone');

  const questions: string[] = [];
  page.once('dialog', (dialog) => {
    questions.push(dialog.message());
    return dialog.dismiss();
  });
  await page.getByRole('link', { name: 'Live' }).first().click();
  expect(questions).toEqual(['Your changes are not saved. Leave all the same, and lose them?']);
  expect(page.url()).toBe(address);
  expect(await length.inputValue()).toBe('0');
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('link', { name: 'All cameras' }).click();
  await page.getByRole('link', { name: /Attic/ }).waitFor();
  // The browser itself reports each refusal.
  expect(complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
  await close();
});

test('the cameras are listed with their states, in the dark as well, for admins only', async () => {
  const options = { ...screens.phone, colorScheme: 'dark' } as const;
  const { page, complaints, close } = await openPage(
    ...([browser, `${recorder.url}/settings`, recorder.admin, options] as const),
  );
  await page.getByRole('link', { name: /Attic.*Switched off/ }).waitFor();
  await page.getByRole('link', { name: /Entrance.*Live/ }).waitFor();
  await expectGoodPage(page, 'settings-list-phone-dark');
  expect(complaints).toEqual([]);
  await close();
  const guest = await openPage(browser, `${recorder.url}/settings`, user);
  await guest.page.getByText('Only administrators can see this page').waitFor();
  expect(guest.complaints).toEqual([]);
  await guest.close();
});

test('a camera is deleted after a question', async () => {
  const { page, complaints, close } = await openPage(
    ...([browser, `${recorder.url}/settings?monitor=attic`, recorder.admin] as const),
  );
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', { name: 'Delete this camera' }).click();
  await page.waitForURL('**/settings');
  await page.getByRole('link', { name: /Entrance/ }).waitFor();
  expect(await page.getByRole('link', { name: /Attic/ }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await close();
});
