import { afterEach, expect, test, vi } from 'vitest';
import type { DetectionEvent } from '../../../../bus/messages.ts';
import type { BrokerSession } from '../../../../bus/mqtt/broker/broker-session.ts';
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
  const heard = () => [
    { machine: 'a', attends: attends(5) },
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
    publishFirst: (events) => void published.push(...events.map(({ id }) => id)),
  });
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
    start,
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
      voice.noticeClock();
      const event: DetectionEvent = {
        ...{ id, monitorID: 'door', monitorName: 'door', source: 'motion', time: now },
        detections: [{ label: 'zone0', score: 50 }],
      };
      if (voice.admits(event)) published.push(id);
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
