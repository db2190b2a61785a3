import { beforeAll, describe, expect, test } from 'vitest';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { encode, encodeSizes } from '../support/encoded.ts';
import { boxesOf, fragmentsFrom, shownBy, statesOf, writeShown } from '../support/live-view.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { decode, probe, soundOf } from '../support/probe.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';
import { HandshakeError } from '../support/websocket.ts';

/** What a browser gets of a camera, from the real recorder. */

const user = { username: 'guard', password: 'a long enough password' };
let camera: Camera;
let recorder: Recorder;

beforeAll(async () => {
  const frames = { file: await encode(300, 20, 'speed-preset=medium option-string=bframes=3:b-adapt=0') };
  const sizes = [
    [320, 240],
    [640, 360],
  ] as const;
  const changing = { file: await encodeSizes(40, sizes) };
  const sub = testMounts.h264(160, 120);
  const mounts = { main: testMounts.h264(), sub, frames, changing, loud: testMounts.withSound.PCMA };
  camera = await startCamera({ mounts });
  recorder = await startRecorder({
    monitors: [
      rtspMonitor('door', [camera.url('main'), camera.url('sub')]),
      rtspMonitor('yard', [camera.url('frames')]),
      rtspMonitor('gate', [camera.url('changing')]),
      rtspMonitor('hall', [camera.url('loud')]),
      rtspMonitor('attic', [camera.url('main')], { enable: false }),
    ],
    accounts: [{ ...user, isAdmin: false }],
  });
}, 60_000);

/** Every picture that was sent is there, in even steps. */
async function expectEven(file: string, pictures: number): Promise<void> {
  const { errors, packets } = await probe(file);
  expect(errors).toBe('');
  expect(packets.length).toBe(pictures);
  expect(packets[0]?.key).toBe(true);
  const times = packets.map(({ time }) => time).sort((a, b) => a - b);
  for (const [index, time] of times.slice(1).entries()) {
    expect(time - (times[index] ?? 0)).toBeGreaterThan(0.05);
    expect(time - (times[index] ?? 0)).toBeLessThan(0.15);
  }
  expect(await decode(file)).toEqual({ frames: pictures, errors: '' });
}

describe('a live view', () => {
  test('begins with the state and the last group of pictures, and goes on with every picture', async () => {
    const feed = await recorder.feed('/api/monitor/door/live', user);
    const shown = await fragmentsFrom(feed, 25);
    const kinds = feed.messages.map((message) =>
      typeof message === 'string' ? (JSON.parse(message) as { type: string }).type : 'bytes',
    );
    expect(kinds[0]).toBe('state');
    expect(kinds.filter((kind) => kind !== 'state' && kind !== 'zones').slice(0, 3)).toEqual([
      'start',
      'bytes',
      'bytes',
    ]);
    expect(statesOf(feed).at(-1)).toMatchObject({
      ...{ state: 'streaming', reason: '', recording: false, stream: 'main', streams: ['main', 'sub'] },
    });
    expect(shown.start).toMatchObject({ codec: 'h264', width: 320, height: 240 });
    expect(shown.start.mime).toMatch(/^video\/mp4; codecs="avc1\.42C0[0-9A-F]{2}"$/);
    expect(boxesOf(shown.group).slice(0, 3)).toEqual(['ftyp', 'moov', 'moof']);
    for (const fragment of shown.fragments) expect(boxesOf(fragment)).toEqual(['moof', 'mdat']);
    const pictures = boxesOf(shown.group).filter((type) => type === 'moof').length + shown.fragments.length;
    const file = await writeShown(shown);
    await expectEven(file, pictures);
    const [first] = (await probe(file)).packets;
    expect(first?.time).toBeCloseTo(shown.start.mediaTime, 3);
  });

  test('has B-frames in their order, with decode times that rise', async () => {
    const feed = await recorder.feed('/api/monitor/yard/live');
    const shown = await fragmentsFrom(feed, 45);
    const inGroup = boxesOf(shown.group).filter((type) => type === 'moof').length;
    const all = await probe(await writeShown(shown));
    // A picture may be the last that came when those that are shown before it have still to come.
    const pictures = all.packets.findLastIndex(({ key }) => key);
    expect(pictures).toBeGreaterThan(20);
    const file = await writeShown({ ...shown, fragments: shown.fragments.slice(0, pictures - inGroup) });
    await expectEven(file, pictures);
    const order = (await probe(file)).packets.map(({ time }) => time);
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });

  test('begins anew with another size', async () => {
    const feed = await recorder.feed('/api/monitor/gate/live');
    await fragmentsFrom(feed, 5, 1);
    const [one, other] = shownBy(feed);
    expect([one?.start.height, other?.start.height].sort()).toEqual([240, 360]);
    for (const shown of [one, other]) {
      const file = await writeShown(shown as NonNullable<typeof shown>);
      expect(await probe(file)).toMatchObject({ errors: '', height: shown?.start.height });
    }
  });

  test('of the sub stream connects to it, and two who watch get the same bytes', async () => {
    const path = '/api/monitor/door/live?stream=sub';
    const one = await recorder.feed(path);
    await fragmentsFrom(one, 12);
    const other = await recorder.feed(path, user);
    const { start, fragments } = await fragmentsFrom(other, 10);
    expect(start).toMatchObject({ width: 160, height: 120 });
    const known = new Set(shownBy(one)[0]?.fragments.map((fragment) => fragment.toString('base64')));
    const shared = fragments.filter((fragment) => known.has(fragment.toString('base64')));
    expect(shared.length).toBeGreaterThanOrEqual(9);
    expect(shownBy(one)).toHaveLength(1);
  });

  test('has sound of its own for those who ask for it', async () => {
    const feed = await recorder.feed('/api/monitor/hall/live?sound=1');
    const isSound = (fragment: Buffer) => fragment.readUInt32BE(44) === 2;
    const shown = await waitFor(
      () => shownBy(feed).find(({ fragments }) => fragments.filter(isSound).length >= 20),
      30_000,
      'sound',
    );
    expect(shown.start.sound?.mime).toBe('audio/mp4; codecs="mp4a.40.2"');
    const sound = shown.fragments.filter(isSound);
    const group = Buffer.from(shown.start.sound?.init ?? '', 'base64');
    const heard = await soundOf(await writeShown({ group, fragments: sound }));
    expect(heard).toMatchObject({ codec: 'aac', errors: '' });
    const pictures = shown.fragments.filter((fragment) => !isSound(fragment));
    const seen = await probe(await writeShown({ ...shown, fragments: pictures }));
    expect(seen.errors).toBe('');
    expect(seen.packets.length).toBeGreaterThan(pictures.length);
  });

  test('of a monitor without a sub stream shows the main one', async () => {
    const feed = await recorder.feed('/api/monitor/yard/live?stream=sub');
    expect(statesOf(feed)[0] ?? (await feed.frame(() => true))).toMatchObject({
      stream: 'main',
      streams: ['main'],
    });
  });

  test('of a disabled monitor says so, begins when it is enabled, and ends when it is deleted', async () => {
    const feed = await recorder.feed('/api/monitor/attic/live');
    await feed.frame<{ state: string }>(({ state }) => state === 'disabled');
    await recorder.change('PUT', '/api/monitor', rtspMonitor('attic', [camera.url('main')]));
    await fragmentsFrom(feed, 1);
    await recorder.change('DELETE', '/api/monitor?id=attic');
    expect(await feed.closed).toBe(4404);
  });

  test('of no monitor is refused', async () => {
    await expect(recorder.feed('/api/monitor/none/live')).rejects.toEqual(new HandshakeError(404));
    await expect(recorder.feed('/api/monitor/door/live?stream=third')).rejects.toEqual(
      new HandshakeError(400),
    );
  });

  test('comes back by itself when the camera does', async () => {
    const feed = await recorder.feed('/api/monitor/door/live');
    await fragmentsFrom(feed, 1);
    await camera.kill();
    const lost = await feed.frame<{ state: string; reason: string }>(({ state }) => state === 'waiting');
    expect(lost.reason).not.toBe('');
    await camera.restart();
    await fragmentsFrom(feed, 5, 1);
    await waitFor(() => statesOf(feed).at(-1)?.state === 'streaming', 10_000, 'the state');
  });
});
