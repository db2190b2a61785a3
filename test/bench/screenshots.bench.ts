import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { tflite } from '../../actors/detectors/objects/tflite-definition.ts';
import { startCamera } from '../support/camera.ts';
import { launchChromium } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { temporaryFolder } from '../support/folder.ts';
import { motion, rtspMonitor } from '../support/monitors.ts';
import { morePictures, type OpenedPage, openPage, screens } from '../support/pages.ts';
import { freePort } from '../support/ports.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';

/** Not a benchmark: makes the pictures of the README, from a recorder with cameras that show a street. */

const run = promisify(execFile);
const folder = join(project, 'test/screenshots');
const usual = { alwaysRecord: true, videoLength: 0.5 };
/** Some recordings, so that the day has something to show. */
const filmingMs = 75_000;

test('screenshots', async () => {
  const camera = await startCamera({
    mounts: {
      main: { file: clip('vtest.mp4') },
      sub: { file: clip('vtest-sub.mp4') },
      tree: { file: clip('tree.mp4') },
    },
  });
  const plugin = ['auth_basic', 'motion', 'tflite'].map((name) => ({ name, enable: true }));
  const recorder = await startRecorder({
    config: { plugin },
    monitors: [
      rtspMonitor('street', [camera.url('main'), camera.url('sub')], {
        name: 'Street',
        motion,
        tflite: tflite.defaults,
        ...usual,
      }),
      rtspMonitor('yard', [camera.url('sub')], { name: 'Yard', ...usual }),
      rtspMonitor('garden', [camera.url('tree')], { name: 'Garden' }),
      rtspMonitor('garage', [`rtsp://127.0.0.1:${await freePort()}/main`], { name: 'Garage' }),
    ],
  });
  const browser = await launchChromium();
  await mkdir(folder, { recursive: true });
  const temporary = await temporaryFolder();
  const shoot = async (
    name: string,
    path: string,
    options: Parameters<typeof openPage>[3],
    ready: (page: OpenedPage['page']) => Promise<unknown>,
    login: Parameters<typeof openPage>[2] = recorder.admin,
  ) => {
    const { page, close } = await openPage(browser, recorder.url + path, login, options);
    await ready(page);
    const picture = join(temporary, `${name}.png`);
    await page.screenshot({ path: picture });
    const webp = ['-c:v', 'libwebp', '-quality', '80', join(folder, `${name}.webp`)];
    await run('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-i', picture, ...webp]);
    await close();
  };
  await sleep(filmingMs);
  const dark = { colorScheme: 'dark' } as const;
  const desktop = { viewport: { width: 1280, height: 900 } };
  const live = async (page: OpenedPage['page']) => {
    await morePictures(page, 'street', 10);
    await morePictures(page, 'garden', 5);
  };
  await shoot('live', '/live', { ...desktop, ...dark }, live);
  await shoot('live-phone', '/live', { ...screens.phone, ...dark }, live);
  const hour = Date.now() * 1000;
  const span = `start=${hour - 150e6}&end=${hour + 30e6}`;
  const played = async (page: OpenedPage['page']) => {
    await page.locator('.event-cards a').first().click();
    await page.waitForFunction(() => {
      const clock = document.querySelector('.player-clock')?.textContent;
      return (
        clock &&
        [...document.querySelectorAll('.player video')].every(
          (video) => (video as HTMLVideoElement).readyState > 1,
        )
      );
    });
    await page.waitForTimeout(2500);
  };
  await shoot('recordings', `/recordings?monitor=street,yard&day=${today()}&${span}`, desktop, played);
  await shoot(
    'recordings-phone',
    `/recordings?day=${today()}&${span}`,
    { ...screens.phone, ...dark },
    played,
  );
  await shoot('logs', '/logs', desktop, async (page) => {
    await page.locator('.badge[data-live="true"]').waitFor();
    await page.locator('.log-chart canvas').waitFor();
  });
  await shoot('sql', '/logs?levels=error', { ...desktop, ...dark }, async (page) => {
    await page.getByText('Ask in SQL').click();
    await page.getByLabel('Example').selectOption({ index: 1 });
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.locator('.sql-table').waitFor();
    await page.locator('.sql-table').scrollIntoViewIfNeeded();
  });
  await shoot('settings', '/settings', desktop, (page) => page.locator('main h1, main h2').first().waitFor());
  await shoot('zones', '/settings?monitor=street', { ...desktop, ...dark }, async (page) => {
    const picture = page.locator('.zone-picture');
    await picture.scrollIntoViewIfNeeded();
    await page.locator('.no-picture').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add a zone' }).click();
    await picture.evaluate((element) => element.scrollIntoView({ block: 'start' }));
    await page.waitForTimeout(2500);
  });
  await shoot('triggers', '/settings?monitor=street', desktop, async (page) => {
    await page.getByLabel('Motion above').fill('2');
    await page.getByRole('button', { name: 'Compare with the last 24 hours' }).click();
    await page.locator('.triggers table').waitFor();
    await page.locator('.triggers').evaluate((element) => element.scrollIntoView({ block: 'start' }));
    await page.waitForTimeout(1500);
  });
  await shoot('welcome', '/welcome?step=camera', { ...desktop, ...dark }, async (page) => {
    await page.getByLabel('Name', { exact: true }).fill('Entrance');
    await page.getByLabel('Address', { exact: true }).fill(camera.url('main'));
    await page.getByRole('button', { name: 'Test the camera' }).click();
    await page.getByText('The camera works.').waitFor();
  });
  await shoot('storage', '/welcome?step=storage', desktop, (page) =>
    page.getByText(/of .* used\./).waitFor(),
  );
  await shoot(
    'login',
    '/login',
    { ...screens.phone, ...dark },
    (page) => page.getByLabel('Password').waitFor(),
    null,
  );
  await shoot('api', '/api', desktop, (page) => page.locator('.opblock').first().waitFor());
});

const today = () => new Date().toISOString().slice(0, 10);
