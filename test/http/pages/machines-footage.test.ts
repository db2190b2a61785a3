import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchChromium } from '../../support/chromium.ts';
import { addFootage, began, second } from '../../support/footage.ts';
import { admin } from '../../support/http-server.ts';
import { openPage } from '../../support/pages.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { openTwoMachines } from '../../support/two-machines.ts';
import { waitFor } from '../../support/wait.ts';

const at = (seconds: number) => began + seconds * second;
const address = (monitors: string, time: number) =>
  `/recordings?monitor=${monitors}&day=2026-11-23&start=${at(-30)}&end=${at(60)}&time=${at(time)}`;

/** Waits until the player shows this time or a later one. */
const played = (page: Page, seconds: number) =>
  page.waitForFunction(
    (wanted) => {
      const clock = document.querySelector('.player-clock') as HTMLTimeElement | null;
      return Date.parse(clock?.dateTime ?? '') * 1000 >= wanted;
    },
    at(seconds),
    { timeout: 30_000 },
  );

test('the page lists and plays what other machines recorded, and says which one is away', async () => {
  const [{ here, there, site, thereName, hereName }, browser] = await Promise.all([
    openTwoMachines(['door', 'yard']),
    launchChromium(),
    makeVideo(),
  ]);
  await addFootage(there, { start: at(0), fragments: video.slice(0, 10) });
  await addFootage(here, { start: at(13), fragments: video.slice(10, 20) });
  await addFootage(there, { start: at(0), fragments: video.slice(0, 10), monitorID: 'yard' });
  const listed = async () => (await (await here.fetch('/api/recording/query')).json()) as unknown[];
  await waitFor(async () => (await listed()).length === 3, 20_000, 'the recordings of the other machine');

  const { page, complaints } = await openPage(browser, here.url + address('door', 7), admin);
  await played(page, 9);
  await played(page, 15);
  await page.getByText('Recordings', { exact: true }).last().click();
  const rows = page.locator('.recordings li');
  await rows.nth(1).waitFor();
  expect(await rows.allTextContents()).toEqual([
    expect.stringContaining(` · ${hereName}`),
    expect.stringContaining(` · ${thereName}`),
  ]);
  const picture = rows.nth(1).locator('img');
  await picture.scrollIntoViewIfNeeded();
  await waitFor(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth > 0), 20_000, 'a picture');

  // What the other machine has is left out, and the page says why.
  site.away.add(thereName);
  await page.goto(here.url + address('door', 7));
  await page.getByText(`${thereName}, which recorded then, is away`).waitFor();
  await played(page, 15);
  const away = rows.nth(1);
  await away.getByText(`${thereName}, which has it, is away`).waitFor();
  expect([await away.locator('img').count(), await away.getByRole('button').count()]).toEqual([0, 0]);
  expect(await rows.first().getByRole('button').count()).toBeGreaterThan(0);
  await page.goto(here.url + address('yard', 3));
  const cover = page.locator('.player-cover');
  await cover.getByText(`${thereName}, which has it, is away`).waitFor();

  // It is asked for again, and played.
  site.away.delete(thereName);
  await cover.waitFor({ state: 'detached', timeout: 30_000 });
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await played(page, 5);
  expect(complaints).toEqual([]);
});
