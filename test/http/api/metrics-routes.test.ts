import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { nowUs } from '../../../bus/base/time.ts';
import type { DetectionEvent, MonitorStatus } from '../../../bus/messages.ts';
import { deliveries, events, objects, questions, status } from '../../../bus/subjects.ts';
import { addFootage, second } from '../../support/footage.ts';
import { type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { makeVideo, video } from '../../support/pipeline-recorder.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

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
      time: nowUs() - 2_000_000,
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

test('whether decoders sleep, or would, as the detector host answers', async () => {
  expect((await scrape()).has('sentrybus_motion_sleep_seconds_total{monitor="door"}')).toBe(false);
  const counts = { isAsleep: true, refused: 'noise' as const, asleepUs: 7_500_000, wakes: 3, missed: 1 };
  const forget = door.bus.answer(questions.sleep, async () => ({
    monitors: [{ monitorID: 'door', ...counts }],
  }));
  await door.bus.flush();
  const samples = await scrape();
  forget();
  const of = (name: string) => samples.get(`sentrybus_motion_sleep_${name}{monitor="door"}`);
  expect(['seconds_total', 'wakes_total', 'missed_total'].map(of)).toEqual([7.5, 3, 1]);
  const refused = (reason: string) =>
    samples.get(`sentrybus_motion_sleep_refused{monitor="door",reason="${reason}"}`);
  expect(['noise', 'groups'].map(refused)).toEqual([1, undefined]);
});

test('objects that appeared are counted, and how late the broker had the events', async () => {
  const now = nowUs();
  const stamp = (seconds: number) => now - seconds * 1e6;
  const life = { monitorID: 'door', label: 'person', score: 60, eventID: 'event0' };
  for (const id of ['one', 'two'])
    await door.bus.store(objects, ['door'], { ...life, id, start: stamp(9), end: null }, `${id} there`);
  await door.bus.store(objects, ['door'], { ...life, id: 'one', start: stamp(9), end: stamp(2) }, 'one gone');
  const delivery = { monitorID: 'door', source: 'motion', time: stamp(3), storedAt: now };
  const confirmed = [0, 1].map((n) => ({ ...delivery, eventID: `event${n}`, deliveredAt: now + n * 1e6 }));
  await door.bus.store(deliveries, ['mqtt'], { deliveries: confirmed }, 'report');
  const samples = await scrape();
  expect(samples.get('sentrybus_objects_total{monitor="door",label="person"}')).toBe(2);
  expect(samples.get('sentrybus_mqtt_delay_seconds_count{monitor="door"}')).toBe(2);
  expect(samples.get('sentrybus_mqtt_delay_seconds_sum{monitor="door"}')).toBeCloseTo(7);
  expect(samples.get('sentrybus_mqtt_delay_seconds{monitor="door",quantile="0.5"}')).toBeCloseTo(3);
});

test('a monitor has one state, and its stream is counted each time it is there again', async () => {
  const since = nowUs() - 5e6;
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

test('for how long a monitor has streamed grows only while it does', async () => {
  const streamed = async () =>
    (await scrape()).get('sentrybus_monitor_streaming_seconds_total{monitor="door"}') ?? 0;
  const say = async (state: MonitorStatus['state'], since: number, recording = false) => {
    const now = { monitorID: 'door', state, reason: '', recording, since };
    await door.bus.store(status, ['door'], now, `${state} ${since} ${recording}`);
    const name = `sentrybus_monitor_state{monitor="door",state="${state}"}`;
    await waitFor(async () => (await scrape()).get(name) === 1, 10_000, name);
  };
  const before = await streamed();
  const now = nowUs();
  // Times ahead, so that the present state adds nothing.
  await say('streaming', now + 1000e6);
  await say('streaming', now + 1000e6, true);
  await say('waiting', now + 1020e6);
  expect(await streamed()).toBeCloseTo(before + 20);
  await say('connecting', now + 1030e6);
  await say('streaming', now + 1031e6);
  expect(await streamed()).toBeCloseTo(before + 20);
  await say('stopped', now + 1036e6);
  expect(await streamed()).toBeCloseTo(before + 25);
});

test('a user gets none', async () => {
  expect((await door.fetch('/api/metrics', {}, user)).status).toBe(403);
});

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly __inputs: readonly { readonly name: string; readonly pluginId: string }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource: { readonly uid: string };
    readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
    readonly targets: readonly { readonly expr: string; readonly refId: string }[];
  }[];
}

const readDashboard = async () =>
  JSON.parse(await readFile(join(project, 'http/grafana.json'), 'utf8')) as Dashboard;

test("Grafana's dashboard asks only for what there is, in expressions that close what they open", async () => {
  const { panels } = await readDashboard();
  const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(10);
  const served = await (await door.fetch('/api/metrics')).text();
  const told = new Set<string>();
  for (const expr of asked) {
    // From the inside out, each call gives way to what it is called with.
    let rest = expr.replace(/\{\w+="[^"]*"(,\w+="[^"]*")*\}|\[\d+[smhd]\]|by \([\w, ]+\) /g, '');
    for (let before = ''; before !== rest; ) {
      before = rest;
      rest = rest
        .replace(/\b(sum|count|rate|increase|avg_over_time) ?\((\w+)\)/, '$2')
        .replace(/^(\w+) (==|\*) \d+$/, '$1');
    }
    expect(rest, expr).toMatch(/^sentrybus_\w+$/);
    for (const [name] of expr.matchAll(/sentrybus_\w+/g)) {
      expect(served).toContain(`# TYPE ${name} `);
      told.add(name);
    }
  }
  const families = [...served.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name);
  expect(families.filter((name) => name !== undefined && !told.has(name))).toEqual([
    'sentrybus_monitor_state_seconds',
    // For rates over ranges that Prometheus has had all along.
    'sentrybus_monitor_streaming_seconds_total',
  ]);
});

test("Grafana's dashboard has the shape that an import needs, and panels that do not overlap", async () => {
  const { uid, schemaVersion, __inputs, templating, panels } = await readDashboard();
  expect(uid).toMatch(/^[\w-]{1,40}$/);
  expect(schemaVersion).toBeGreaterThanOrEqual(36);
  // Asked for by an import, and chosen in the dashboard itself where it was put in by a file.
  expect(__inputs).toMatchObject([{ name: 'DS_PROMETHEUS', pluginId: 'prometheus' }]);
  expect(templating.list).toMatchObject([{ name: 'DS_PROMETHEUS', type: 'datasource', query: 'prometheus' }]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { type, title, datasource, gridPos, targets } of panels) {
    expect(['stat', 'timeseries']).toContain(type);
    expect(title).not.toBe('');
    expect(datasource.uid).toMatch(/^\$\{DS_PROMETHEUS\}$/);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(taken.has(`${x},${y}`), title).toBe(false);
        taken.add(`${x},${y}`);
      }
  }
});

test('the storage is there as a whole and by monitor', async () => {
  await makeVideo();
  const start = nowUs() - 12 * 3600 * second;
  await addFootage(door, { start, fragments: video.slice(0, 10), monitorID: 'yard' });
  const samples = await scrape();
  const of = (name: string) => samples.get(`sentrybus_${name}`);
  const bytes = of('monitor_storage_bytes{monitor="yard"}') ?? 0;
  expect(bytes).toBeGreaterThan(1000);
  expect(of('storage_bytes{kind="recordings"}')).toBe(bytes);
  expect(of('storage_limit_bytes')).toBe(1e9);
  expect(of('monitor_storage_days_left{monitor="yard"}')).toBe(of('storage_days_left'));
  expect(of('monitor_storage_bytes_per_day{monitor="yard"}')).toBeGreaterThan(1.99 * bytes);
  expect(of('monitor_recordings{monitor="yard"}')).toBe(1);
  expect(of('monitor_oldest_recording_timestamp_seconds{monitor="yard"}')).toBeCloseTo(start / 1e6, 0);
  expect(of('disk_state{state="room"}')).toBe(1);
  expect(of('disk_size_bytes')).toBeGreaterThan(of('disk_free_bytes') ?? 0);
});
