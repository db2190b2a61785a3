import { beforeEach, expect, test, vi } from 'vitest';
import { Bus } from '../../../../bus/nats/bus.ts';
import { startTestBus } from '../../../support/bus.ts';
import { busyLink } from '../../../support/busy-link.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { decoded } from '../../../support/numbered-decoder.ts';
import { type SentPicture, WatchedCamera } from '../../../support/watched-camera.ts';

vi.mock('../../../../pipelines/gstreamer/gstreamer.ts', () => import('../../../support/numbered-decoder.ts'));
// Turns of decoders take real time.
vi.mock('../../../../pipelines/frames/sleep/catch-up.ts', () => ({
  catchUp: (begin: () => void) => Promise.resolve(begin()),
}));

const count = 16;
/** Each 4 Mbit/s, a key frame every four seconds. */
const perSecond = 5;
const perGroup = 20;
const bytes = 100_000;

beforeEach(() => decoded.reset());

/** Cameras that are asleep after a while, and a way to let all send what each of them sends, to a process that is late. */
async function sixteen(moves: (before: number, now: number) => boolean) {
  const { server, connect } = await startTestBus();
  const { address } = server;
  const link = await busyLink(Number(new URL(`nats://${address.servers[0]}`).port));
  const detectors = await Bus.connect({ ...address, servers: [link.address] }, 'test');
  atEnd(() => detectors.close());
  let reconnects = 0;
  detectors.onReconnect(() => {
    reconnects += 1;
  });
  const recorder = await connect();
  const cameras = Array.from(
    { length: count },
    (_, index) =>
      new WatchedCamera({
        ...{ picturesPerSecond: perSecond, rate: perSecond, sleep: true, delay: 1, moves },
        ...{ buses: { camera: recorder, detectors }, monitorID: `door${index}` },
      }),
  );
  let number = 0;
  /** @param moreBytes of every other camera's pictures */
  const play = async (pictures: number, moreBytes = 0) => {
    for (let n = 0; n < pictures; n += 1, number += 1) {
      const picture = (more: number): SentPicture =>
        number % perGroup === 0
          ? { kind: 'key', bytes }
          : { kind: 'picture', bytes: bytes + more + (number % 3) };
      link.pause();
      for (const [index, camera] of cameras.entries())
        await camera.send([picture(index % 2 ? 0 : moreBytes)]);
      await recorder.flush();
      link.resume();
      await detectors.flush();
      await recorder.flush();
    }
  };
  await recorder.flush();
  await play(180);
  expect(cameras.map(({ counts }) => counts?.isAsleep)).toEqual(Array(count).fill(true));
  return { cameras, play, reconnects: () => reconnects };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('sixteen cameras that wake up at the same time, by sizes or by key frames, lose no motion', async () => {
  const { cameras, play, reconnects } = await sixteen((before, now) => before < 200 && now > 195);
  await play(16);
  await play(4, 200);
  await play(20);
  for (const { found } of cameras) expect(found).toEqual(range(196, 201));
  expect(decoded.broken).toEqual([]);
  expect(reconnects()).toBe(0);
});
