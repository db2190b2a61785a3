import type { Browser } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { testMonitor } from '../support/monitors.ts';
import { expectGoodPage, field, morePictures, openPage, screens } from '../support/pages.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** The settings of a real recorder in a real browser. Pictures of them are left in test/.cache/pages. */

const user = { username: 'guest', password: 'battery staple' };
let camera: Camera;
let recorder: Recorder;
let browser: Browser;
/** Id of the camera that the first test adds. */
let door = '';

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
});

test('a camera is tried, saved and seen; its password is typed once and never shown again', async () => {
  const { page, complaints, close } = await openPage(browser, `${recorder.url}/live`, recorder.admin);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Add a camera' }).click();
  await field(page, 'Name').fill('Front door');
  door = await field(page, 'Id').inputValue();
  // With a number if the test is tried again.
  expect(door).toMatch(/^frontdoor\d?$/);
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
  // A keyboard goes on from there.
  expect(await page.locator('button:focus').textContent()).toBe('Test the camera');
  expect(await page.locator('.found').first().textContent()).toMatch(/H\.264.*640 × 360.*Soundnone/);
  expect(await page.locator('.found').last().textContent()).toContain('320 × 240');
  const picture = page.getByAltText('First picture of the camera').first();
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(640);
  await expectGoodPage(page, 'settings-new-camera-desktop');

  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(`**/settings?monitor=${door}`);
  await page.getByText('Saved. The camera comes back by itself:').waitFor();
  await page.locator('.state[data-state="streaming"]').waitFor();
  await morePictures(page, door, 3);
  expect(await field(page, 'Password of the camera').inputValue()).toBe('');
  expect(await page.content()).not.toContain('p@ss');

  await field(page, 'Address').fill(`${camera.url('main', undefined)}?x`);
  await page.getByText('There are changes that are not saved.').waitFor();
  await page.getByRole('button', { name: 'Discard changes' }).click();
  expect(await field(page, 'Address').inputValue()).toBe(camera.url('main', undefined));
  await field(page, 'Name').fill('Entrance');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.save-bar[data-changed="false"] button:focus').waitFor();
  const stored = await recorder.get<Record<string, { sourcertsp: { mainStream: string } }>>('/api/monitors');
  expect(stored[door]).toMatchObject({
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
  await page.getByRole('link', { name: /Attic/ }).click();
  const kept = async () =>
    (await recorder.get<Record<string, { retention?: object }>>('/api/monitors'))['attic']?.retention;
  const save = async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.save-bar[data-changed="false"]').waitFor();
  };
  await field(page, 'At most').fill('14');
  await page.getByRole('combobox', { name: 'Detected object' }).fill('person');
  await page.keyboard.press('Enter');
  await field(page, 'Days that recordings with person are kept').fill('90');
  await save();
  expect(await kept()).toEqual({ maxDays: 14, events: { person: 90 } });
  await page.getByRole('button', { name: 'Keep person no longer than others' }).click();
  await save();
  expect(await kept()).toEqual({ maxDays: 14, events: {} });
  // The browser itself reports each refusal.
  expect(complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
  await close();
});

test('a zone is drawn over the live picture by mouse and keyboard, with its score beside it', async () => {
  await recorder.change('PATCH', `/api/monitor/${door}/motion/enable`);
  const { page, complaints, close } = await openPage(
    ...([browser, `${recorder.url}/settings?monitor=${door}`, recorder.admin] as const),
  );
  await page
    .locator('.score')
    .getByText(/now [\d.]+ %, highest of 10 s/)
    .waitFor();
  // Plays only where it can be seen.
  await page.locator('.zone-picture').scrollIntoViewIfNeeded();
  await page.locator('.no-picture').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add a zone' }).click();
  const corner = page.getByRole('button', {
    name: 'Corner 1 of Zone 2: 25 % from the left, 25 % from the top',
  });
  await corner.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await corner.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const picture = (await page.locator('.drawing').boundingBox()) ?? { x: 0, y: 0, width: 1, height: 1 };
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(picture.x + picture.width / 10, picture.y + picture.height / 5, { steps: 4 });
  await page.mouse.up();
  const dragged = page.getByRole('button', {
    name: 'Corner 1 of Zone 2: 10 % from the left, 20 % from the top',
  });
  await dragged.focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('button', { name: /Corner 1 of Zone 2: 11 % from the left, 20 %/ }).waitFor();
  await page.getByRole('button', { name: 'Add a corner to Zone 2 after corner 2' }).focus();
  await page.keyboard.press('Enter');
  const added = page.getByRole('button', { name: /Corner 3 of Zone 2: 75 % from the left, 50 %/ });
  await added.focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.getByRole('button', { name: 'Add a corner to Zone 2 after corner 5' }).focus();
  await page.keyboard.press('Enter');
  const doubled = page.getByRole('button', { name: /Corner 6 of Zone 2/ });
  await doubled.dblclick();
  await doubled.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /Corner 5 of Zone 2/ }).focus();
  await page.keyboard.press('Delete');
  await page
    .locator('.score')
    .nth(1)
    .getByText(/now [\d.]+ %/)
    .waitFor();
  await expectGoodPage(page, 'settings-zones-desktop');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.save-bar[data-changed="false"]').waitFor();
  const monitors =
    await recorder.get<Record<string, { motion: { zones: { area: number[][] }[] } }>>('/api/monitors');
  const [[left = 0, top = 0] = [], ...others] = monitors[door]?.motion.zones[1]?.area ?? [];
  expect(Math.abs(left - 110_000) + Math.abs(top - 200_000)).toBeLessThan(10_000);
  expect(others).toEqual([
    [750_000, 250_000],
    [749_000, 500_000],
    [750_000, 750_000],
  ]);
  expect(complaints).toEqual([]);
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

test('an account is made and changed, its login is ended, and the storage is shown', async () => {
  const { page, complaints, close } = await openPage(
    ...([browser, `${recorder.url}/settings?part=accounts`, recorder.admin, screens.phone] as const),
  );
  await page.getByRole('link', { name: 'Add an account' }).click();
  await field(page, 'User name').fill('admin');
  await field(page, 'Password').fill('tried and true');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('Another account has this name.').waitFor();
  const name = `visitor${Date.now()}`;
  await field(page, 'User name').fill(name);
  await page.getByLabel('Only chosen cameras').check();
  await page.getByLabel('Entrance').check();
  await expectGoodPage(page, 'settings-account-phone');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: new RegExp(`${name}.*Cameras: 1`) }).waitFor();
  const visitor = { username: name, password: 'tried and true' };
  const seen = await recorder.fetch('/api/monitor/states', {}, visitor);
  expect(await seen.json()).toEqual([expect.objectContaining({ id: door })]);

  const other = await openPage(browser, `${recorder.url}/login`, null);
  await other.page.locator('input[name="username"]').fill(name);
  await other.page.locator('input[name="password"]').fill(visitor.password);
  await other.page.keyboard.press('Enter');
  await other.page.waitForURL('**/live');
  await page.getByRole('button', { name: `End the login of ${name}` }).click();
  await other.page.waitForURL('**/login?next=*');
  await other.close();
  await expectGoodPage(page, 'settings-accounts-phone');

  await page.getByRole('link', { name: 'Storage' }).click();
  await page.getByText(/of .* used\..* is known after ten minutes/).waitFor();
  await page.getByRole('link', { name: /Entrance.* since / }).waitFor();
  await expectGoodPage(page, 'settings-storage-phone');
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByText('No camera looks for objects now.').waitFor();
  await page.getByRole('link', { name: 'MQTT' }).click();
  await page.getByText('The plugin “mqtt” is off').waitFor();
  // The browser itself reports each refusal.
  expect(complaints.filter((text) => !/status of 409/.test(text))).toEqual([]);
  await close();
});

test('the last day is counted again with thresholds that are not saved yet', async () => {
  const whole = [
    [0, 0],
    [1_000_000, 0],
    [1_000_000, 1_000_000],
    [0, 1_000_000],
  ];
  const zone = { enable: true, sensitivity: 8, thresholdMin: 0.1, thresholdMax: 100, area: whole };
  const detection = { enable: true, feedRate: 2, duration: 1, zones: [zone] };
  await recorder.change('PUT', '/api/monitor', { ...testMonitor('yard'), motion: detection });
  const listed = () => recorder.get<unknown[]>('/api/event/query?monitors=yard&limit=1');
  await waitFor(async () => (await listed()).length > 0, 60_000, 'motion of the test picture');
  const { page, complaints, close } = await openPage(
    ...([browser, `${recorder.url}/settings?monitor=yard`, recorder.admin, screens.phone] as const),
  );
  await page.getByRole('button', { name: 'Compare with the last 24 hours' }).click();
  const row = page.locator('.triggers tr[data-label="zone0"]');
  const cell = (name: string | RegExp) => row.getByRole('cell', { name, exact: true });
  await cell(/^[1-9]\d*$/)
    .first()
    .waitFor();
  const [was = ''] = await row.getByRole('cell').allTextContents();
  expect(await cell(was).count()).toBe(2);
  await expectGoodPage(page, 'settings-triggers-phone');
  await field(page, 'Motion above').fill('99');
  await cell('0').waitFor();
  await field(page, 'Motion above').fill('0.05');
  await cell(`at least ${was}`).waitFor();
  await field(page, 'A pixel counts above').fill('20');
  await cell('cannot be known').waitFor();
  expect(await row.getByRole('cell').allTextContents()).toEqual([was, 'cannot be known']);
  await page.getByText('with another area, sensitivity, rate or model').waitFor();
  // The frame of an event that has just been may not be on disk yet.
  expect(complaints.filter((text) => !/status of 404/.test(text))).toEqual([]);
  await close();
});
