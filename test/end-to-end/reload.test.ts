import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import type { MonitorSummary } from '../../http/state/monitor-summary.ts';
import { testMonitor } from '../support/monitors.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

const entry = (recorder: Recorder, text: string) =>
  waitFor(
    async () => {
      const entries = await recorder.get<LogEntry[]>('/api/log/query?limit=100');
      return entries.find(({ msg }) => msg.includes(text));
    },
    10_000,
    `the log entry "${text}"`,
  );

const states = (recorder: Recorder) => recorder.get<MonitorSummary[]>('/api/monitor/states');

test('SIGHUP without a terminal reads the files again, and a wrong one changes nothing but the log', async () => {
  const recorder = await startRecorder({ monitors: [testMonitor('door')] });
  const configs = join(recorder.folder, 'configs');
  const [config, door, yard] = ['sentryshot.toml', 'monitors/door.json', 'monitors/yard.json'].map((name) =>
    join(configs, name),
  ) as [string, string, string];
  const monitor = JSON.parse(await readFile(door, 'utf8')) as Record<string, unknown>;
  await writeFile(yard, `\ufeff${JSON.stringify({ ...monitor, id: 'yard', name: 'Yard' })}`);
  await writeFile(door, '{ "id": "door", ');
  await writeFile(config, `${await readFile(config, 'utf8')}\ncolour = "blue"\n`);

  await waitFor(async () => (await states(recorder))[0]?.state === 'streaming', 20_000, 'the first monitor');
  recorder.signal('SIGHUP');
  await entry(recorder, 'door.json: expected JSON');
  await entry(recorder, 'colour');
  expect(await states(recorder)).toMatchObject([{ id: 'door', state: 'streaming' }, { id: 'yard' }]);
  expect((await stat(join(recorder.folder, 'storage', 'sentrybus.duckdb'))).mode & 0o777).toBe(0o640);

  await writeFile(door, JSON.stringify({ ...monitor, name: 'Front door' }));
  await rm(yard);
  recorder.signal('SIGHUP');
  await waitFor(
    async () => (await states(recorder)).map(({ name }) => name).join() === 'Front door',
    10_000,
    'the other name',
  );
  expect(await recorder.stop()).toBe(0);
});
