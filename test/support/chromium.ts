import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { atEnd } from './cleanup.ts';

/** Debian's Chromium. It is closed when the test is over. */
export async function launchChromium(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
      ...['--disable-sync', '--autoplay-policy=no-user-gesture-required'],
    ],
  });
  atEnd(() => browser.close());
  return browser;
}

/** Logs in as the login page does; the browser keeps the cookie. */
export async function logInBrowser(
  context: BrowserContext,
  url: string,
  login: { readonly username: string; readonly password: string },
): Promise<void> {
  const answer = await context.request.post(`${url}/api/session`, { data: login });
  if (!answer.ok()) throw new Error(`the login was answered with ${answer.status()}`);
}

/**
 * Shows every picture of a file, one after the other, and plays the file to its end.
 *
 * A player that is in a hurry leaves pictures out, so each is asked for: seeks to the middle of each of `times`, in
 * seconds and ascending.
 *
 * @returns the times of the different pictures that were on the screen, and how far it played.
 */
export async function showInChromium(
  browser: Browser,
  file: string,
  times: readonly number[],
): Promise<{ readonly shown: readonly number[]; readonly playedTo: number }> {
  const page = await browser.newPage();
  try {
    const data = (await readFile(file)).toString('base64');
    return await page.evaluate(show, { data, times });
  } finally {
    await page.close();
  }
}

/** Runs in the page. */
async function show({ data, times }: { data: string; times: readonly number[] }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const video = document.createElement('video');
  const once = (event: string) =>
    new Promise((resolve, reject) => {
      video.addEventListener(event, resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
    });
  const loaded = once('loadeddata');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/mp4' }));
  document.body.append(video);
  await loaded;
  const shown = new Set<number>();
  const seek = async (index: number) => {
    const time = times[index] ?? 0;
    const next = times[index + 1] ?? time + 0.01;
    const [begin, middle] = [time - 0.0005, (time + next) / 2];
    const presented = new Promise<void>((resolve) => {
      const look = () => {
        video.requestVideoFrameCallback((_, { mediaTime }) => {
          shown.add(mediaTime);
          // On a busy machine the picture before may be shown once more.
          if (mediaTime >= begin) resolve();
          else look();
        });
      };
      look();
    });
    video.currentTime = middle;
    await Promise.race([presented, new Promise((resolve) => setTimeout(resolve, 5000))]);
  };
  for (const index of times.keys()) await seek(index);
  // On a busy machine a picture may be replaced by the next one before it was painted: such ones are looked at again.
  for (const [index, time] of times.entries()) {
    if ([...shown].some((seen) => Math.abs(seen - time) < 0.005)) continue;
    await seek(index === 0 ? times.length - 1 : 0);
    await seek(index);
  }
  video.currentTime = 0;
  video.playbackRate = 8;
  const ended = once('ended');
  await video.play();
  await ended;
  return { shown: [...shown].sort((one, other) => one - other), playedTo: video.currentTime };
}

/**
 * Plays a file to its end, as fast as a browser does, in a page that can be used again.
 *
 * @returns how many pictures were decoded, and how many seconds its player did not reach.
 * @throws if it does not play.
 */
export async function playInChromium(
  page: Page,
  file: string,
): Promise<{ readonly pictures: number; readonly leftS: number }> {
  const data = (await readFile(file)).toString('base64');
  return page.evaluate(playToEnd, data);
}

/** Runs in the page. */
async function playToEnd(data: string) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const video = document.createElement('video');
  const address = URL.createObjectURL(new Blob([bytes], { type: 'video/mp4' }));
  try {
    const ended = new Promise((resolve, reject) => {
      video.addEventListener('ended', resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
      setTimeout(() => reject(new Error(`it stops at ${video.currentTime} s`)), 60_000);
    });
    video.muted = true;
    video.src = address;
    document.body.append(video);
    // The fastest that Chromium allows.
    video.playbackRate = 16;
    await Promise.all([video.play(), ended]);
    const pictures = video.getVideoPlaybackQuality().totalVideoFrames;
    return { pictures, leftS: video.duration - video.currentTime };
  } finally {
    video.remove();
    video.removeAttribute('src');
    URL.revokeObjectURL(address);
  }
}
