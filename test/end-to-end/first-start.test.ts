import { expect, test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { testMonitor } from '../support/monitors.ts';
import { expectGoodPage, field, morePictures, morePlayed, openPage, screens } from '../support/pages.ts';
import { probe } from '../support/probe.ts';
import { startRecorder } from '../support/recorder.ts';

/** A new installation, as somebody with a phone meets it: all of it by touch, on pages that are never told an address. */
test('from the first start to a clip of what happened: password, cameras, a zone, recordings, the log, log out', async () => {
  const [fresh, camera, browser] = await Promise.all([
    startRecorder({
      env: { SENTRYBUS_ADMIN_PASSWORD: '' },
      monitors: [testMonitor('demo', { name: 'Demo', enable: false })],
    }),
    startCamera({ mounts: { main: { file: clip('vtest.mp4') } } }),
    launchChromium(),
  ]);
  const [, printed = ''] = await fresh.line(/Log in as admin with the password (\S+)/);
  const { page, complaints, close } = await openPage(browser, `${fresh.url}/`, null, screens.phone);
  const tapButton = (name: string | RegExp) => page.getByRole('button', { name }).first().tap();
  const tapLink = (name: string | RegExp) => page.getByRole('link', { name }).first().tap();
  await field(page, 'User name').fill('admin');
  await field(page, 'Password').fill(printed);
  await page.getByRole('button').first().tap();
  await page.waitForURL('**/welcome');

  await field(page, 'New password').fill('short');
  await tapButton('Save the password');
  await page.getByRole('alert').getByText('Expected at least 8 characters.').waitFor();
  await expectGoodPage(page, 'welcome-password-phone');
  await field(page, 'New password').fill(fresh.admin.password);
  await tapButton('Save the password');
  await page.waitForURL('**/welcome?step=camera');
  await page.getByRole('heading', { name: 'The first camera' }).waitFor();
  expect(await fresh.get('/api/session')).toMatchObject({ username: 'admin', initialPassword: false });

  await field(page, 'Name').fill('Street');
  await field(page, 'Address').fill(camera.url('main'));
  await tapButton('Test the camera');
  await page.getByText('The camera works.').waitFor();
  await expectGoodPage(page, 'welcome-camera-phone');
  await tapButton('Save the camera');
  await page.waitForURL('**/welcome?step=storage');
  await page.getByText(/of .* used\./).waitFor();
  expect(await page.locator('h2[tabindex]').evaluate((element) => element === document.activeElement)).toBe(
    true,
  );
  await expectGoodPage(page, 'welcome-storage-phone');
  await tapLink('Watch the live picture');
  await morePictures(page, 'street', 3);
  await page.reload();
  await morePictures(page, 'street', 3);
  // The account is known now, and leads nowhere else.
  expect(new URL(page.url()).pathname).toBe('/live');

  await tapLink('Settings');
  await tapLink('Add a camera');
  await field(page, 'Name').fill('Hall');
  await page.getByLabel('Moving test picture').check();
  await tapButton('Save');
  await page.waitForURL('**/settings?monitor=hall');
  await morePictures(page, 'hall', 2);
  await tapLink('All cameras');
  await tapLink(/^Street/);
  await page.getByLabel('Detect motion').check();
  await tapButton('Add a zone');
  await tapButton(/^Add a corner to Zone \d after corner 2$/);
  await page
    .getByRole('button', { name: /^Corner 5 of / })
    .first()
    .waitFor();
  await tapButton('Save');
  await page.locator('.save-bar[data-changed="false"]').waitFor();
  await page
    .locator('.score')
    .last()
    .getByText(/now [\d.]+ %/)
    .waitFor();

  await tapLink('Recordings');
  const card = page.locator('.event-cards [data-monitor="street"] a').first();
  await card.waitFor();
  await card.locator('img').evaluate((image: HTMLImageElement) => image.decode());
  await card.tap();
  await page.waitForURL(/&time=\d+$/);
  await morePlayed(page, 'street', 0.3);
  await page.getByText('Download a part').tap();
  const downloading = page.waitForEvent('download');
  await tapButton('Download the part');
  const { errors, packets } = await probe(await (await downloading).path());
  expect([errors, packets.length > 10]).toEqual(['', true]);

  await tapLink('Logs');
  await page.getByLabel('Search').fill('recording');
  await page.waitForURL(/[?&]text=recording/);
  await page.locator('.log .message', { hasText: 'recording' }).first().waitFor();
  await page.getByText('Ask in SQL').tap();
  await field(page, 'Statement').fill(
    'SELECT level, count(*) AS entries FROM logs GROUP BY ALL ORDER BY ALL',
  );
  await tapButton(/^Ask$/);
  await page.locator('.sql-table td', { hasText: 'info' }).waitFor();
  await page.locator('.preferences summary').tap();
  await tapButton('Log out');
  await page.waitForURL('**/login*');
  // The browser itself reports each refusal: that of the login page's question whether there is a session.
  expect(complaints.filter((text) => !/status of 401/.test(text))).toEqual([]);
  await close();
});
