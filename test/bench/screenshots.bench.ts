import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startCamera } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { morePictures, type OpenedPage, openPage, screens } from '../support/pages.ts';
import { freePort } from '../support/ports.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';

/** Not a benchmark: makes the pictures of the README, from a recorder with cameras that show a street. */

const folder = join(project, 'test/screenshots');
const usual = { alwaysRecord: true, videoLength: 0.5 };
/** Some recordings, so that the day has something to show. */
const filmingMs = 100_000;

test('screenshots', async () => {
  const camera = await startCamera({
    mounts: {
      main: { file: clip('vtest.mp4') },
      sub: { file: clip('vtest-sub.mp4') },
      tree: { file: clip('tree.mp4') },
    },
  });
  const recorder = await startRecorder({
    monitors: [
      rtspMonitor('street', [camera.url('main'), camera.url('sub')], { name: 'Street', motion, ...usual }),
      rtspMonitor('yard', [camera.url('sub')], { name: 'Yard', ...usual }),
      rtspMonitor('garden', [camera.url('tree')], { name: 'Garden' }),
      rtspMonitor('garage', [`rtsp://127.0.0.1:${await freePort()}/main`], { name: 'Garage' }),
    ],
  });
  const browser = await launchChromium();
  await mkdir(folder, { recursive: true });
  const shoot = async (
    name: string,
    path: string,
    options: Parameters<typeof openPage>[3],
    ready: (page: OpenedPage['page']) => Promise<unknown>,
  ) => {
    const { page, close } = await openPage(browser, recorder.url + path, recorder.admin, options);
    await ready(page);
    await page.screenshot({ path: join(folder, `${name}.jpeg`), type: 'jpeg', quality: 80 });
    await close();
  };
  await sleep(filmingMs);
  const dark = { colorScheme: 'dark' } as const;
  const desktop = { viewport: { width: 1280, height: 800 } };
  const live = async (page: OpenedPage['page']) => {
    await morePictures(page, 'street', 10);
    await morePictures(page, 'garden', 5);
  };
  await shoot('live', '/live', { ...desktop, ...dark }, live);
  await shoot('live-phone', '/live', { ...screens.phone, ...dark }, live);
  await shoot('recordings', '/recordings?monitor=street', desktop, async (page) => {
    await page.locator('.recordings a').nth(1).click();
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1);
  });
  await shoot('logs', '/logs', desktop, (page) => page.locator('.badge[data-live="true"]').waitFor());
});
