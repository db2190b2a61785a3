import { expect, test } from 'vitest';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { events } from '../../../bus/subjects.ts';
import { launchChromium } from '../../support/chromium.ts';
import { began, second } from '../../support/footage.ts';
import { openFrontDoor, user } from '../../support/http-server.ts';
import { openPage } from '../../support/pages.ts';

test('the list of events goes back page by page, and shows whole what goes on beyond a page', async () => {
  const [door, browser] = await Promise.all([openFrontDoor(), launchChromium()]);
  const outbox = new Outbox(1000, () => {});
  outbox.attach(door.bus);
  for (const id of ['door', 'yard']) {
    const monitor = { id, name: id, enable: false, alwaysRecord: false, videoLength: 15, source: 'test' };
    expect((await door.change('PUT', '/api/monitor', { ...monitor, sourcetest: {} })).status).toBe(201);
  }
  const happen = (monitorID: string, at: number) =>
    outbox.add(events, [monitorID, 'tflite'], {
      ...{ id: `${monitorID}${at}`, monitorID, monitorName: monitorID, source: 'tflite' },
      ...{ time: began + at * second, detections: [{ label: 'person', score: 80 }] },
    });
  for (let minute = 0; minute < 320; minute += 1) happen('door', minute * 60);
  // Ten minutes, five of them beyond the end of the first page of 150.
  const middle = (320 - 150) * 60;
  for (let at = middle - 300; at <= middle + 300; at += 20) happen('yard', at);
  await outbox.flush(5000);

  const span = `start=${began}&end=${began + 320 * 60 * second}`;
  const { page, complaints } = await openPage(browser, `${door.url}/recordings?${span}`, user);
  const sizes: [path: string, bytes: number][] = [];
  page.on('response', async (response) => {
    const path = new URL(response.url()).pathname;
    // Of a request that was ended there is no body.
    const { length } = await response.body().catch(() => '');
    if (path.startsWith('/api/')) sizes.push([path, length]);
  });
  await page.reload();
  const cards = page.locator('.event-cards li');
  const more = page.getByRole('button', { name: 'Show older ones' });
  const has = (count: number) =>
    page.waitForFunction((wanted) => document.querySelectorAll('.event-cards li').length === wanted, count);
  await has(150);
  expect(await page.locator('.event-cards [data-monitor="yard"]').count()).toBe(0);
  await more.click();
  // The last one of a page may have another that begins at the same time, so each page begins with it.
  await has(299);
  expect(await page.locator('.event-cards [data-monitor="yard"]').textContent()).toContain('10 min');
  await more.click();
  await has(321);
  await more.waitFor({ state: 'detached' });
  expect(await cards.last().getAttribute('data-monitor')).toBe('door');
  expect(sizes.filter(([path]) => path === '/api/event/occurrences').length).toBeGreaterThan(3);
  expect(sizes.filter(([, bytes]) => bytes > 65_536)).toEqual([]);
  expect(complaints).toEqual([]);
});
