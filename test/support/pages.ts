import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { logInBrowser } from './chromium.ts';
import { project } from './project.ts';
import type { Login } from './recorder.ts';

/** Pages of a recorder in a browser. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings on the console, violations of the content security policy among them. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export const screens = {
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1440, height: 900 } },
} as const;

/** Opens a page as its user sees it, or as somebody who has not logged in; in English unless told otherwise. */
export async function openPage(
  browser: Browser,
  address: string,
  login: Login,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    ...screens.desktop,
    ...options,
  });
  if (login) await logInBrowser(context, new URL(address).origin, login);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return { page, complaints, close: () => context.close() };
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface AxeWindow {
  readonly axe: {
    run(): Promise<{
      readonly violations: readonly {
        readonly id: string;
        readonly impact: string | null;
        readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
      }[];
    }>;
  };
}

/** What axe-core finds wrong with a page, if it is serious: `color-contrast: <p>…`. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axe, 'utf8'));
  const violations = await page.evaluate(
    async () => (await (globalThis as unknown as AxeWindow).axe.run()).violations,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Waits until a tile's video has shown so many more pictures. */
export async function morePictures(page: Page, monitorID: string, count: number): Promise<void> {
  await page.locator(`[data-monitor="${monitorID}"] video`).evaluate(
    (video: HTMLVideoElement, wanted) =>
      new Promise<void>((resolve) => {
        let seen = 0;
        const next = () => {
          seen += 1;
          if (seen > wanted) resolve();
          else video.requestVideoFrameCallback(next);
        };
        video.requestVideoFrameCallback(next);
      }),
    count,
  );
}

/** Waits until a recording's video is so many seconds on. */
export async function morePlayed(page: Page, monitorID: string, seconds: number): Promise<void> {
  await page.locator(`.player-picture[data-monitor="${monitorID}"] video`).evaluate(
    (video: HTMLVideoElement, wanted) =>
      new Promise<void>((resolve) => {
        let first: number | undefined;
        const next = (_: number, { mediaTime }: { readonly mediaTime: number }) => {
          first ??= mediaTime;
          if (mediaTime - first >= wanted) resolve();
          else video.requestVideoFrameCallback(next);
        };
        video.requestVideoFrameCallback(next);
      }),
    seconds,
  );
}

/** Pictures of pages that tests have seen are left here. */
export const pagePictures = join(project, 'test/.cache/pages');

/** Nobody is shut out by the page, and nothing is wider than the screen. */
export async function expectGoodPage(page: Page, picture: string): Promise<void> {
  await page.screenshot({ path: join(pagePictures, `${picture}.png`), fullPage: true });
  expect(await barriers(page)).toEqual([]);
  const { width } = page.viewportSize() ?? { width: 0 };
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
}

/** A field by its name, or by a part of it. */
export const field = (page: Page, name: string | RegExp) =>
  page.getByLabel(name, { exact: typeof name === 'string' });
