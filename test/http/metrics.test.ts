import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { DetectionEvent, MonitorStatus } from '../../bus/messages.ts';
import { events, status } from '../../bus/subjects.ts';
import { formatNanoseconds, nowMicroseconds } from '../../bus/time.ts';
import { project } from '../support/project.ts';
import { waitFor } from '../support/wait.ts';
import { type FrontDoor, openFrontDoor, user } from './front-door.ts';

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor();
  const monitor = {
    id: 'door',
    name: 'Door',
    enable: false,
    alwaysRecord: false,
    videoLength: 5,
    source: 'test',
    sourcetest: {},
  };
  expect((await door.change('PUT', '/api/monitor', monitor)).status).toBe(201);
});

/** Names and labels with their values. @throws for a line that is not in Prometheus' text format. */
async function scrape(): Promise<Map<string, number>> {
  const text = await (await door.fetch('/api/metrics')).text();
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (/^# (HELP sentrybus_\w+ .+|TYPE sentrybus_\w+ (counter|gauge|summary))$/.test(line)) continue;
    const [, name = '', value] =
      /^(sentrybus_\w+(?:\{\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*\})?) (\S+)$/.exec(line) ?? [];
    expect(Number.isFinite(Number(value)), line).toBe(true);
    expect(samples.has(name), line).toBe(false);
    samples.set(name, Number(value));
  }
  return samples;
}

test('log entries are counted by level and source', async () => {
  const log = door.logger.source('recorder');
  log.warning('slow');
  log.warning('slow', 'door');
  log.info('fine');
  await door.logger.flush(5000);
  const samples = await scrape();
  expect(samples.get('sentrybus_log_entries_total{level="warning",src="recorder"}')).toBe(2);
  expect(samples.get('sentrybus_log_entries_total{level="info",src="recorder"}')).toBe(1);
  expect(samples.get('sentrybus_bus_connected')).toBe(1);
});

test('detections are counted by monitor, source and label, and how late their events were', async () => {
  for (let n = 0; n < 3; n += 1) {
    const event: DetectionEvent = {
      id: `event${n}`,
      monitorID: 'door',
      monitorName: 'Door',
      source: 'motion',
      time: formatNanoseconds(BigInt(nowMicroseconds() - 2_000_000) * 1000n),
      detections: [{ label: 'zone "0"\\', score: 40 }],
    };
    await door.bus.store(events, ['door', 'motion'], event, event.id);
  }
  const samples = await scrape();
  expect(
    samples.get('sentrybus_detections_total{monitor="door",source="motion",label="zone \\"0\\"\\\\"}'),
  ).toBe(3);
  expect(samples.get('sentrybus_event_delay_seconds_count{monitor="door"}')).toBe(3);
  for (const quantile of ['0.5', '0.95', '0.99']) {
    const delay = samples.get(`sentrybus_event_delay_seconds{monitor="door",quantile="${quantile}"}`);
    expect(delay).toBeGreaterThanOrEqual(2);
    expect(delay).toBeLessThan(60);
  }
});

test('a monitor has one state, and its stream is counted each time it is there again', async () => {
  const since = nowMicroseconds() - 5e6;
  const say = (state: MonitorStatus['state'], monitorID = 'door') =>
    door.bus.store(
      status,
      [monitorID],
      { monitorID, state, reason: '', recording: state === 'streaming', since },
      `${monitorID} ${state} ${Math.random()}`,
    );
  const until = async (name: string, value: number) =>
    waitFor(
      async () => ((await scrape()).get(name) === value ? true : undefined),
      10_000,
      `${name} ${value}`,
    );
  // One that is not stored any more is not told of.
  await say('streaming', 'gone');
  await say('connecting');
  await say('streaming');
  await until('sentrybus_monitor_recording{monitor="door"}', 1);
  for (const state of ['waiting', 'connecting', 'streaming', 'waiting'] as const) {
    await say(state);
    await until(`sentrybus_monitor_state{monitor="door",state="${state}"}`, 1);
  }
  const samples = await scrape();
  expect(samples.get('sentrybus_monitor_reconnects_total{monitor="door"}')).toBe(1);
  expect(samples.get('sentrybus_monitor_state_seconds{monitor="door"}')).toBeGreaterThanOrEqual(5);
  const states = [...samples].filter(([name]) => name.startsWith('sentrybus_monitor_state{'));
  expect(states.filter(([, value]) => value === 1)).toHaveLength(1);
  expect([...samples.keys()].filter((name) => name.includes('"gone"'))).toEqual([]);
});

test('a user gets none', async () => {
  expect((await door.fetch('/api/metrics', {}, user)).status).toBe(403);
});

test("Grafana's dashboard asks only for what there is", async () => {
  const text = await readFile(join(project, 'http/grafana.json'), 'utf8');
  const dashboard = JSON.parse(text) as { panels: { id: number; targets: { expr: string }[] }[] };
  const asked = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(8);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  const served = await (await door.fetch('/api/metrics')).text();
  for (const [name] of asked.join(' ').matchAll(/sentrybus_\w+/g))
    expect(served).toContain(`# TYPE ${name} `);
});
