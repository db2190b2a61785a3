import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { LiveStart } from '../../http/live/live-messages.ts';
import { startChild } from '../support/child.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { byPicture, type PacedCamera, startPacedCamera } from '../support/paced-camera.ts';
import { cpuSeconds } from '../support/processes.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';
import { packetsOf } from '../support/rtp.ts';
import type { Feed } from '../support/websocket.ts';

/**
 * What viewers of a camera of 2 Mbit/s cost the recorder, its whole process tree; and how long a picture takes from
 * the camera's socket to a viewer's.
 */

const framesPerSecond = 15;
const measuredMs = 12_000;
const crowd = 49;

const at = (values: number[], part: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;

/** Milliseconds from the camera's socket to here, of each picture from now on. */
function delaysOf({ socket, frames }: Feed, { sentUs }: PacedCamera): number[] {
  const delays: number[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    const start = frames.map((text) => JSON.parse(text) as LiveStart).find(({ type }) => type === 'start');
    if (!isBinary || !start || data.toString('latin1', 4, 8) !== 'moof') return;
    // Of `tfdt`; there are no B-frames.
    const mediaTime = Number(data.readBigUInt64BE(data.indexOf('tfdt') + 8)) / 90_000;
    const takenUs = start.time + (mediaTime - start.mediaTime) * 1e6;
    const picture = Math.round(((takenUs - (sentUs[0] ?? 0)) / 1e6) * framesPerSecond);
    delays.push((nowUs() - (sentUs[picture] ?? Number.NaN)) / 1000);
  });
  return delays;
}

test('50 viewers of one camera', async () => {
  const packets = await packetsOf(
    `videotestsrc num-buffers=${90 * framesPerSecond} pattern=snow ! video/x-raw,format=I420,width=640,height=360,framerate=${framesPerSecond}/1` +
      ' ! x264enc threads=1 tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max=30 ! h264parse ! rtph264pay config-interval=-1',
  );
  const camera = await startPacedCamera({ pictures: byPicture(packets), periodMs: 1000 / framesPerSecond });
  const recorder = await startRecorder({ monitors: [rtspMonitor('door', [camera.url()])] });
  const path = '/api/monitor/door/live';

  const measure = async (name: string) => {
    const [before, began] = [cpuSeconds(recorder.pid), performance.now()];
    await pause(measuredMs);
    const share = ((cpuSeconds(recorder.pid) - before) / (performance.now() - began)) * 1e5;
    console.log(`${name}: ${share.toFixed(1)} % of a core`);
    return share;
  };
  const show = (name: string, delays: number[]) =>
    console.log(
      `${name}: camera to WebSocket p50 ${at(delays, 0.5).toFixed(1)} ms, p95 ${at(delays, 0.95).toFixed(1)} ms, max ${at(delays, 1).toFixed(1)} ms of ${delays.length} pictures`,
    );

  // Node's compiler has come to rest by then.
  await pause(15_000);
  const none = await measure('no viewer');
  const feed = await recorder.feed(path);
  const delays = delaysOf(feed, camera);
  await measure('1 viewer');
  show('1 viewer', delays.splice(0));
  const authorization = `Basic ${Buffer.from(`${recorder.admin.username}:${recorder.admin.password}`).toString('base64')}`;
  const url = recorder.url.replace('http', 'ws') + path;
  const viewers = startChild('node', [
    ...[join(project, 'test/bench/crowd.mjs'), 'feed', url, authorization, String(crowd)],
  ]);
  await viewers.line(/^open$/, 30_000);
  delays.splice(0);
  const all = await measure(`${crowd + 1} viewers`);
  show(`${crowd + 1} viewers`, delays);
  console.log(`${crowd + 1} viewers cost ${(all - none).toFixed(1)} % of a core`);
  expect(all - none).toBeLessThan(10);
});
