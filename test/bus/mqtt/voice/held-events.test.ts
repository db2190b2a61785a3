import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { DetectionEvent } from '../../../../bus/messages.ts';
import type { BrokerSession, Outcome } from '../../../../bus/mqtt/broker/broker-session.ts';
import { RetainedTopics } from '../../../../bus/mqtt/topics/retained-topics.ts';
import { TopicRecord } from '../../../../bus/mqtt/topics/topic-record.ts';
import { SiteVoice, type VoiceSite } from '../../../../bus/mqtt/voice/site-voice.ts';
import type { Turn } from '../../../../bus/mqtt/voice/turns.ts';

const second = 1_000_000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Machine b, beside a that has the turn, at a broker that has retained a's claim when it connects. */
async function besideSpeaker() {
  const start = Date.now() * 1000;
  let now = start;
  vi.spyOn(Date, 'now').mockImplementation(() => now / 1000);
  const attends = (rank: number) => [{ id: 'door', rank, streaming: true }];
  let isHeard = true;
  const heard = () => [
    ...(isHeard ? [{ machine: 'a', attends: attends(5) }] : []),
    { machine: 'b', attends: attends(0) },
  ];
  let beat = () => {};
  const onHeard: VoiceSite['onHeard'] = (listener) => {
    beat = () => listener('a');
    return () => {};
  };
  const site = { machine: 'b', heard, onHeard };
  const voice = new SiteVoice({ site, monitors: () => [{ id: 'door', isEnabled: true }] });
  const published: string[] = [];
  voice.attach({
    prefix: 'house',
    topics: new RetainedTopics(await TopicRecord.open(undefined), async () => 'delivered'),
    isConnected: () => true,
    announce: () => {},
    publishFirst(events) {
      published.push(...events.map(({ id }) => id));
      return events.map(async () => 'delivered' as const);
    },
    hold: () => {},
  });
  const settled = new Map<string, Outcome>();
  let turns: readonly Turn[] = [];
  const claim = () => JSON.stringify({ machine: 'a', rank: 5, streaming: true, turns });
  const session = {
    async subscribe(topic: string) {
      if (topic.endsWith('/available'))
        voice.message('house/machine/a/available', Buffer.from('online'), false);
      if (topic.endsWith('/machine')) voice.message('house/monitor/door/machine', Buffer.from(claim()), true);
    },
    publish: async () => {},
  } as unknown as BrokerSession;
  return {
    published,
    /** What has become of those that were held. */
    settled,
    start,
    voice,
    /** Machine a is heard no more; the broker has not noticed yet. */
    part: () => {
      isHeard = false;
    },
    at: (time: number) => {
      now = time;
    },
    beat: () => beat(),
    /** Connects anew. */
    connect: (claimed: readonly Turn[]) => {
      turns = claimed;
      return voice.learn(session);
    },
    see(id: string) {
      const event: DetectionEvent = {
        ...{ id, monitorID: 'door', monitorName: 'door', source: 'motion', time: now },
        detections: [{ label: 'zone0', score: 50 }],
      };
      voice.notice(event);
      const isAdmitted = voice.admits(event);
      if (isAdmitted === true) published.push(id);
      else if (isAdmitted !== false) void isAdmitted.then((outcome) => settled.set(id, outcome));
    },
  };
}

test('what is held is published before what comes after the clock was set back', async () => {
  const { start, at, beat, connect, see, published } = await besideSpeaker();
  await connect([
    { machine: '', since: start },
    { machine: 'a', since: start + 10 * second },
  ]);
  at(start + 30 * second);
  beat();
  see('ahead');
  at(start + second);
  see('right');
  expect(published).toEqual(['ahead', 'right']);
});

test('what is held is judged again by what a new connection tells', async () => {
  const { start, at, connect, see, published } = await besideSpeaker();
  await connect([{ machine: 'a', since: start }]);
  at(start + second);
  see('held');
  await connect([
    { machine: 'a', since: start },
    { machine: '', since: start + second / 2 },
    { machine: 'a', since: start + 5 * second },
  ]);
  at(start + 2 * second);
  see('newer');
  expect(published).toEqual(['held', 'newer']);
});

test('what would wait on goes along with a later one that is published', async () => {
  const { start, at, beat, connect, see, published, settled } = await besideSpeaker();
  await connect([{ machine: 'a', since: start }]);
  at(start + second);
  see('right');
  at(start + 30 * second);
  beat();
  see('ahead');
  at(start + 2 * second);
  see('newer');
  expect(published).toEqual(['right', 'ahead']);
  await nextTurn();
  expect([...settled]).toEqual([
    ['right', 'delivered'],
    ['ahead', 'delivered'],
  ]);
});

test('what another machine publishes is settled after a minute, or when too many are held', async () => {
  const { start, at, beat, connect, see, published, settled } = await besideSpeaker();
  await connect([{ machine: 'a', since: start }]);
  at(start + second);
  for (let n = 0; n < 2003; n++) see(`event${n}`);
  await nextTurn();
  expect([...settled.keys()]).toEqual(['event0', 'event1', 'event2']);
  for (let seconds = 50; seconds <= 60; seconds++) {
    at(start + seconds * second);
    beat();
  }
  await nextTurn();
  expect(settled.size).toBe(3);
  at(start + 61.5 * second);
  beat();
  await nextTurn();
  expect(settled.size).toBe(2003);
  expect(new Set(settled.values())).toEqual(new Set(['refused']));
  expect(published).toEqual([]);
});

test('what is held survives a standstill of more than a minute, because nobody was asked meanwhile', async () => {
  const { start, at, beat, connect, see, part, published } = await besideSpeaker();
  await connect([{ machine: 'a', since: start }]);
  at(start + second);
  beat();
  at(start + 2 * second);
  see('held');
  at(start + 70 * second);
  beat();
  part();
  await connect([
    { machine: 'a', since: start },
    { machine: '', since: start + 1.5 * second },
  ]);
  expect(published).toEqual(['held']);
});

test('at a stop, what is held is left to the machine that has the turn, but for the last seconds', async () => {
  const { start, at, beat, connect, see, settled, voice } = await besideSpeaker();
  await connect([{ machine: 'a', since: start }]);
  at(start + second);
  see('older');
  at(start + 10 * second);
  see('newer');
  at(start + 11 * second);
  beat();
  voice.close();
  await nextTurn();
  expect([...settled]).toEqual([['older', 'refused']]);
});
