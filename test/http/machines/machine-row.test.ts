import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClusterKeys, newClusterSecret } from '../../../bus/nats/control/cluster-keys.ts';
import { launchChromium } from '../../support/chromium.ts';
import { admin, openFrontDoor, user } from '../../support/http-server.ts';
import { rtspMonitor } from '../../support/monitors.ts';
import { barriers, openPage, pagePictures, screens } from '../../support/pages.ts';
import { freePort } from '../../support/ports.ts';
import { TestSite } from '../../support/test-site.ts';

const names = ['127.0.0.4', 'garage', 'tie'];
const usual = {
  isThis: false,
  isAlive: true,
  votes: true,
  capacity: 16,
  provisional: [],
  isWaitedFor: false,
};

test('admins see the machines of a cluster, and can say that one is off', async () => {
  const keys = await makeClusterKeys(newClusterSecret(), names);
  const site = new TestSite('127.0.0.4', names, keys, await freePort());
  const declared: string[] = [];
  const isWaitedFor = () => declared.length === 0;
  const [door, browser] = await Promise.all([
    openFrontDoor({
      site,
      machines: () => [
        { ...usual, name: '127.0.0.4', isThis: true, owned: ['door'] },
        { ...usual, name: 'garage', isAlive: false, capacity: null, owned: [], isWaitedFor: isWaitedFor() },
        { ...usual, name: 'tie', capacity: 0, owned: [] },
      ],
      declareMachineOff: (name) => void declared.push(name),
    }),
    launchChromium(),
  ]);
  await door.monitors.put(rtspMonitor('door', ['rtsp://127.0.0.1/main']));
  site.hear('door', null);
  const { page, complaints } = await openPage(browser, `${door.url}/live`, admin, screens.phone);
  const row = page.getByRole('list', { name: 'Machines' });
  await row.waitFor();
  expect(await row.locator('li').allInnerTexts()).toEqual([
    expect.stringMatching(/^127\.0\.0\.4\s+1 camera$/),
    expect.stringMatching(/^garage\s+unreachable\s+Record its cameras here$/),
    expect.stringMatching(/^tie\s+votes only$/),
  ]);
  expect(await barriers(page)).toEqual([]);
  await page.screenshot({ path: join(pagePictures, 'machines-phone.png') });
  page.on('dialog', (dialog) => void dialog.accept());
  const button = page.getByRole('button', { name: 'Record its cameras here' });
  await button.click();
  await button.waitFor({ state: 'detached' });
  expect(declared).toEqual(['garage']);
  expect(door.logged.map(({ msg }) => msg)).toContain("'admin' said that garage is off");
  expect((await door.change('POST', '/api/machine/off?name=garage')).status).toBe(409);
  expect((await door.change('POST', '/api/machine/off?name=shed')).status).toBe(404);
  expect((await door.change('POST', '/api/machine/off?name=garage', undefined, user)).status).toBe(403);
  expect(complaints).toEqual([]);

  const { page: other } = await openPage(browser, `${door.url}/live`, user);
  await other.locator('[data-monitor="door"]').waitFor();
  expect(await other.locator('.machines').count()).toBe(0);
});
