import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nowUs } from '../../../../bus/base/time.ts';
import type { DetectionEvent } from '../../../../bus/messages.ts';
import type { Publication } from '../../../../bus/mqtt/broker/broker-session.ts';
import { MonitorTopics } from '../../../../bus/mqtt/topics/monitor-topics.ts';
import { RetainedTopics } from '../../../../bus/mqtt/topics/retained-topics.ts';
import { TopicRecord } from '../../../../bus/mqtt/topics/topic-record.ts';
import { door } from '../../../support/test-house.ts';

/** The topics of the door, for which another machine speaks at first. */
async function besideSpeaker() {
  const published: string[] = [];
  const publish = async ({ topic, payload }: Publication) => {
    published.push(`${topic} ${payload}`);
    return 'delivered' as const;
  };
  const topics = new RetainedTopics(await TopicRecord.open(undefined), publish);
  await topics.connected();
  return { monitor: new MonitorTopics(topics, 'house', 1000, door, false), published };
}

const event = (id: string): DetectionEvent => ({
  ...{ id, monitorID: 'door', monitorName: 'door', source: 'tflite', time: nowUs() },
  detections: [{ label: 'person', score: 50, object: 'a' }],
});

test('a monitor that is deleted leaves no event and no snapshot of the machine that spoke before', async () => {
  const { monitor, published } = await besideSpeaker();
  monitor.speak(true);
  monitor.remove();
  await nextTurn();
  for (const path of ['event', 'snapshot', 'state'])
    expect(published).toContain(`house/monitor/door/${path} `);
});

test('an event that was published while another machine spoke is not the last one at a later takeover', async () => {
  const { monitor, published } = await besideSpeaker();
  monitor.lastEvent(event('older'));
  monitor.speak(true);
  await nextTurn();
  expect(published.filter((line) => line.includes('older'))).toEqual([]);
  monitor.lastEvent(event('newer'));
  await nextTurn();
  expect(published.at(-1)).toMatch(/^house\/monitor\/door\/event .*"newer"/);
  monitor.close();
});
