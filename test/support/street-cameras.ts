import { type Camera, startCamera } from './camera.ts';
import { startChild } from './child.ts';
import { benchClips, clip, makeClips, seldomClips } from './clips.ts';
import { temporaryFolder } from './folder.ts';

/** What benchmarks of recording and motion detection share: a camera of a street, and the reference that does the same. */

/** The zone that SentryShot's settings page begins with: people walking by at a distance seldom set it off. */
const zone = {
  enable: true,
  sensitivity: 8,
  thresholdMin: 10,
  thresholdMax: 100,
  area: [
    [300_000, 200_000],
    [700_000, 200_000],
    [700_000, 800_000],
    [300_000, 800_000],
  ] as [number, number][],
};
export const quietMotion = { enable: true, feedRate: 5, duration: 120, zones: [zone] };

/** Its streams are `main`, 1920×1080, and `sub`, 640×360, both at 15 frames per second. */
export async function startStreetCamera(): Promise<Camera> {
  await makeClips(benchClips);
  return startCamera({
    mounts: { main: { file: clip('street-1080.mp4') }, sub: { file: clip('street-360.mp4') } },
  });
}

/** The same with a key frame every 2 s instead of each second. */
export async function startSeldomCamera(): Promise<Camera> {
  await makeClips(seldomClips);
  return startCamera({
    mounts: { main: { file: clip('street-1080-seldom.mp4') }, sub: { file: clip('street-360-seldom.mp4') } },
  });
}

/**
 * gst-launch-1.0, as often as there are cameras: each records the main stream, and decodes one stream to 5 small gray frames per
 * second if asked to.
 *
 * @returns the processes.
 */
export async function startGstLaunch(
  camera: Camera,
  cameras: number,
  decoded: 'main' | 'sub' | 'none',
): Promise<number[]> {
  const folder = await temporaryFolder();
  const decode =
    'queue ! avdec_h264 max-threads=1 ! videorate drop-only=true max-rate=5 ! videoconvertscale ! video/x-raw,format=GRAY8,width=320,height=180 ! fakesink sync=false';
  const source = (mount: string) =>
    `rtspsrc location=${camera.url(mount)} protocols=tcp ! rtph264depay ! h264parse`;
  return Array.from({ length: cameras }, (_, n) => {
    const record = `queue ! mp4mux fragment-duration=1000 streamable=true ! filesink location=${folder}/${n}.mp4`;
    const launch = {
      none: `${source('main')} ! ${record}`,
      main: `${source('main')} ! tee name=t ! ${record} t. ! ${decode}`,
      sub: `${source('main')} ! ${record} ${source('sub')} ! ${decode}`,
    }[decoded];
    return startChild('gst-launch-1.0', ['-q', ...launch.split(' ')]).pid;
  });
}
