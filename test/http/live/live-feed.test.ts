import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { MonitorStatus } from '../../../bus/messages.ts';
import { events, status } from '../../../bus/subjects.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { LivePipeline, liveFormat, pictureTimeUs } from '../../support/live-pipeline.ts';
import { fragmentsFrom, shownBy, statesOf } from '../../support/live-view.ts';
import { motion, rtspMonitor } from '../../support/monitors.ts';
import { waitFor } from '../../support/wait.ts';
import type { Feed } from '../../support/websocket.ts';

/** The real server, and a pipeline that sends what a test says. */

let door: FrontDoor;
/** A new one for each test. */
let monitorID = 'door';
let pipeline: LivePipeline;
beforeAll(async () => {
  door = await openFrontDoor();
  await Promise.all([door.token(), door.token(user)]);
});
beforeEach(async () => {
  monitorID += '1';
  await door.monitors.put(rtspMonitor(monitorID, ['rtsp://127.0.0.1/main']));
  pipeline = new LivePipeline(door.bus, monitorID);
});

const publishState = (state: MonitorStatus['state'], reason = '') =>
  door.bus.store(
    status,
    [monitorID],
    { monitorID, state, reason, recording: false, since: Date.now() * 1000 },
    `${monitorID} ${state} ${reason}`,
  );

async function watch(login = user, query = ''): Promise<Feed> {
  const before = pipeline.begins.length;
  const feed = await door.feed(`/api/monitor/${monitorID}/live${query}`, login);
  await feed.frame(() => true);
  await waitFor(() => pipeline.begins.length > before || before > 0, 5000, 'the lease');
  return feed;
}

const texts = ({ group, fragments }: { group: Buffer; fragments: readonly Buffer[] }) =>
  [group, ...fragments].map(String);

test('the first viewer asks for the last group of pictures, the next ones get what is known', async () => {
  const one = await watch();
  expect(pipeline.begins[0]).toBe(true);
  pipeline.begin('first', 2);
  pipeline.picture('key ', true, 1);
  pipeline.picture('second ');
  pipeline.picture('third ');
  await fragmentsFrom(one, 1);
  const other = await watch();
  pipeline.picture('fourth ');
  await Promise.all([fragmentsFrom(one, 2), fragmentsFrom(other, 1)]);
  expect(shownBy(one).map(texts)).toEqual([['init of firstkey second ', 'third ', 'fourth ']]);
  expect(shownBy(other).map(texts)).toEqual([['init of firstkey second third ', 'fourth ']]);
  expect(shownBy(other)[0]?.start).toEqual({
    ...{ type: 'start', ...liveFormat, mediaTime: 1, time: pictureTimeUs },
  });
  await waitFor(() => pipeline.begins.length >= 3, 10_000, 'renewals');
  expect(pipeline.begins.slice(-1)).toEqual([false]);
});

test('a stream that nobody watches any more is not asked for', async () => {
  const feed = await watch();
  feed.socket.close();
  await feed.closed;
  await door.bus.flush();
  const { length } = pipeline.begins;
  pipeline.begin('first');
  const next = await watch();
  expect(pipeline.begins.length).toBeGreaterThan(length);
  expect(shownBy(next)).toEqual([]);
});

test('a group that is sent again for another server is sent to nobody twice', async () => {
  const feed = await watch();
  pipeline.begin('first');
  pipeline.picture('key ', true);
  pipeline.picture('second ');
  pipeline.begin('first', 2);
  pipeline.picture('key ', true, 1);
  pipeline.picture('second ');
  pipeline.picture('third ');
  await fragmentsFrom(feed, 2);
  expect(shownBy(feed).map(texts)).toEqual([['init of firstkey ', 'second ', 'third ']]);
});

test('after a lost picture nothing comes that cannot be decoded', async () => {
  const feed = await watch();
  pipeline.begin('first');
  pipeline.picture('key ', true);
  pipeline.lose();
  pipeline.picture('third ');
  await waitFor(() => pipeline.begins.filter((begin) => begin).length > 1, 5000, 'the group again');
  pipeline.picture('key again ', true);
  pipeline.picture('fifth ');
  await fragmentsFrom(feed, 2);
  expect(shownBy(feed).map(texts)).toEqual([['init of firstkey ', 'key again ', 'fifth ']]);
  expect(feed.frames.map((text) => JSON.parse(text).type)).toEqual(['state', 'zones', 'start', 'gap']);
});

test('a picture that is too large for one message of the bus comes whole', async () => {
  const feed = await watch();
  const large = Buffer.alloc(3_000_000, 'x');
  pipeline.begin('first');
  pipeline.picture(large, true);
  pipeline.picture(large);
  const { group, fragments } = await fragmentsFrom(feed, 1);
  expect(group.length).toBe(large.length + 'init of first'.length);
  expect(fragments[0]?.equals(large)).toBe(true);
});

test('one who does not read gets the next key frame, and nobody waits for him', async () => {
  const slow = await watch();
  const quick = await watch();
  pipeline.begin('first');
  pipeline.picture('key ', true);
  await Promise.all([fragmentsFrom(slow, 0), fragmentsFrom(quick, 0)]);
  slow.socket.pause();
  const picture = Buffer.alloc(400_000, 'x');
  let sent = 0;
  const send = async () => {
    pipeline.picture(picture);
    sent += 1;
    await fragmentsFrom(quick, sent);
  };
  // More than the kernel holds for him, and then for longer than he may be late.
  while (sent < 40) await send();
  for (const end = performance.now() + 2000; performance.now() < end; ) await send();
  slow.socket.resume();
  await waitFor(
    () => {
      pipeline.picture('key again ', true);
      sent += 1;
      return slow.frames.some((text) => JSON.parse(text).type === 'gap');
    },
    10_000,
    'the gap',
  );
  const after = slow.messages.slice(
    slow.messages.findIndex((message) => String(message) === '{"type":"gap"}') + 1,
  );
  await waitFor(() => String(slow.messages.at(-1)) === 'key again ', 5000, 'the key frame');
  expect(after.every((message) => String(message) === 'key again ')).toBe(true);
  expect(slow.messages.length).toBeLessThan(quick.messages.length);
  expect(quick.frames).toHaveLength(3);
});

test('the state and its reason come first and at each change, and another session after the camera was away', async () => {
  await publishState('streaming');
  const feed = await watch();
  await feed.frame<{ state: string }>(({ state }) => state === 'streaming');
  pipeline.begin('first');
  pipeline.picture('key ', true);
  await fragmentsFrom(feed, 0);
  await publishState('waiting', 'wrong user name or password');
  await feed.frame<{ state: string }>(({ state }) => state === 'waiting');
  const late = await watch();
  expect(statesOf(late).at(0)).toMatchObject({ state: 'waiting', reason: 'wrong user name or password' });
  await publishState('connecting');
  await publishState('streaming', '');
  pipeline.begin('second');
  pipeline.picture('key of another ', true);
  await Promise.all([fragmentsFrom(feed, 0, 1), fragmentsFrom(late, 0)]);
  expect(shownBy(late).map(texts)).toEqual([['init of secondkey of another ']]);
});

test('an account that is changed sees no more, and a monitor that is deleted ends its views', async () => {
  const guest = { username: 'guest', password: 'a guest at the door' };
  await door.account(guest, false);
  const mine = await watch(guest);
  const other = await watch({ username: 'admin', password: 'correct horse' });
  await door.account(guest, false);
  expect(await mine.closed).toBe(4401);
  await door.monitors.remove(monitorID);
  expect(await other.closed).toBe(4404);
});

test('detections come with the time of their picture, and zones at once and when they change', async () => {
  const feed = await watch();
  await feed.frame<{ zones: unknown }>(({ zones }) => JSON.stringify(zones) === '[]');
  pipeline.begin('first');
  pipeline.picture('key ', true);
  await fragmentsFrom(feed, 0);
  const detections = [
    { label: 'person', score: 87.5, box: { x: 1, y: 2, width: 300_000, height: 400_000 }, object: 'one' },
  ];
  const time = pictureTimeUs + 250_000;
  door.bus.publish(events, [monitorID, 'tflite'], {
    ...{ id: 'event', monitorID, monitorName: 'door', source: 'tflite', time, detections },
  });
  const found = await feed.frame<{ type: string }>(({ type }) => type === 'detections');
  expect(found).toEqual({ type: 'detections', source: 'tflite', mediaTime: 1.25, time, detections });

  await door.monitors.put(rtspMonitor(monitorID, ['rtsp://127.0.0.1/main'], { motion }));
  const { zones } = await feed.frame<{ zones?: unknown[] }>((frame) => frame.zones?.length === 1);
  expect(zones).toEqual([{ source: 'motion', label: 'zone0', area: motion.zones[0]?.area }]);
});

test('sound goes to those who ask for it, and is asked for only then', async () => {
  const silent = await watch();
  pipeline.begin('first');
  pipeline.picture('key ', true);
  await fragmentsFrom(silent, 0);
  expect(pipeline.isHeard).toBe(false);
  const listener = await watch(user, '?sound=1');
  await fragmentsFrom(listener, 0);
  await waitFor(() => pipeline.isHeard, 5000, 'the lease with sound');
  const sound = { mime: 'audio/mp4; codecs="mp4a.40.2"', init: 'AAAA' };
  pipeline.begin('first', 1, { ...liveFormat, sound });
  pipeline.picture('key ', true);
  await fragmentsFrom(listener, 0, 1);
  pipeline.sound('beep ');
  pipeline.picture('second ');
  await Promise.all([fragmentsFrom(silent, 1), fragmentsFrom(listener, 2, 1)]);
  expect(shownBy(silent).map(texts)).toEqual([['init of firstkey ', 'second ']]);
  expect(shownBy(listener).map(texts)).toEqual([
    ['init of firstkey '],
    ['init of firstkey ', 'beep ', 'second '],
  ]);
  expect(shownBy(listener).map(({ start }) => start.sound)).toEqual([undefined, sound]);
  expect(shownBy(silent)[0]?.start.sound).toBeUndefined();
});
