import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import { events, logs } from '../../bus/subjects.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/folder.ts';
import { addFootage, began, second } from '../support/footage.ts';
import { lookAtNumbers } from '../support/numbered-log.ts';
import { makeVideo, video } from '../support/pipeline-recorder.ts';
import { runProgram } from '../support/program.ts';
import { type Recorder, startInstalled, startRecorder } from '../support/recorder.ts';

const viewer = { username: 'viewer', password: 'another horse', isAdmin: false };

async function busOf({ folder }: Recorder): Promise<Bus> {
  const address = await readBusAddress(join(folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'test');
  atEnd(() => bus.close());
  return bus;
}

/** Publishes numbered entries until it is ended. */
function publishNumbers(bus: Bus, from: number) {
  const outbox = new Outbox(100_000, () => {});
  outbox.attach(bus);
  let next = from;
  const add = () => {
    for (let count = 0; count < 50; count += 1) {
      const entry = {
        level: 'info',
        time: Date.now() * 1000,
        msg: `${next}`,
        src: 'numbered',
        monitorID: '',
      };
      outbox.add(logs, ['info', 'numbered', ''], entry as never);
      next += 1;
    }
  };
  const timer = setInterval(add, 10);
  atEnd(async () => clearInterval(timer));
  return {
    /** How many are on the bus for sure. */
    async flushed() {
      const count = next;
      await outbox.flush(10_000);
      return count;
    },
    async end() {
      clearInterval(timer);
      await outbox.flush(10_000);
      return next;
    },
  };
}

const numbers = async (recorder: Recorder) => {
  const sql = `SELECT count(*), count(DISTINCT msg), max(msg::INTEGER) FROM logs WHERE src = 'numbered'`;
  const answer = await recorder.change('POST', '/api/log/sql', { sql });
  const [found = 0, distinct = 0, last = 0] = (await answer.json()).rows[0].map(Number);
  return { found, distinct, last };
};

test('a backup of a running recorder is restored on another machine, and in place of itself', async () => {
  const [recorder] = await Promise.all([startRecorder({ accounts: [viewer] }), makeVideo()]);
  const bus = await busOf(recorder);
  const ids: string[] = [];
  for (const minute of [0, 1, 2]) {
    const footage = { start: began + minute * 60 * second, fragments: video.slice(0, 2) };
    ids.push(await addFootage({ bus, recordingsDir: recorder.recordings }, footage));
  }
  await recorder.change('PUT', '/api/monitor', {
    ...{ id: 'yard', name: 'Yard', enable: false, alwaysRecord: false, videoLength: 15, source: 'test' },
    sourcetest: {},
  });
  await recorder.change('PUT', `/api/recording/${ids[1]}/protect`);
  const detections = [{ label: 'person', score: 80 }];
  const event = {
    id: 'e1',
    monitorID: 'door',
    monitorName: 'Door',
    source: 'tflite',
    time: began,
    detections,
  };
  await bus.store(events, ['door', 'tflite'], event, 'e1');
  const config = join(recorder.folder, 'configs', 'sentryshot.toml');
  await writeFile(config, `# Mine\n${await readFile(config, 'utf8')}`);

  const place = await temporaryFolder();
  const backup = join(place, 'backup');
  const publisher = publishNumbers(bus, 0);
  const before = await publisher.flushed();
  const made = await runProgram('backup', 'backUp', [backup, '--config', config]);
  expect(made).toMatchObject({ code: 0, errors: '' });
  expect(made.output).toMatch(/1 events, 3 recordings in the catalogue; read back and found whole$/m);
  const whole = await publisher.end();
  expect((await stat(backup)).mode & 0o777).toBe(0o700);
  expect((await stat(join(backup, 'config', 'accounts.json'))).mode & 0o777).toBe(0o600);

  const other = join(place, 'other', 'deeper');
  const otherConfig = join(other, 'configs', 'sentryshot.toml');
  const restored = await runProgram('restore', 'restore', [backup, '--config', otherConfig]);
  expect(restored).toMatchObject({ code: 0, errors: '' });
  expect(await readFile(otherConfig, 'utf8')).toMatch(`# Mine\n${'host = "127.0.0.1"'}`);
  const running = await runProgram('restore', 'restore', [backup, '--config', config, '--replace']);
  expect(running.errors).toMatch(/storage: another recorder is running here\n$/);
  expect(running.code).toBe(1);
  await recorder.kill();
  await rename(recorder.recordings, join(other, 'storage', 'recordings'));

  const again = await startInstalled(other);
  const login = { username: viewer.username, password: viewer.password };
  expect((await again.fetch('/api/recording/query', {}, login)).status).toBe(200);
  expect(Object.keys(await again.get<object>('/api/monitors'))).toContain('yard');
  const listed = await again.get<{ id: string }[]>('/api/recording/query?limit=10');
  expect(listed.map(({ id }) => id).sort()).toEqual(ids);
  const remove = await again.change('DELETE', `/api/recording?id=${ids[1]}`).catch((error: Error) => error);
  expect(String(remove)).toMatch(/409/);
  const happened = await again.change('POST', '/api/log/sql', { sql: 'SELECT id FROM events' });
  expect((await happened.json()).rows).toEqual([['e1']]);
  const { found, distinct, last } = await numbers(again);
  expect(found).toBeGreaterThanOrEqual(before);
  expect([distinct, last]).toEqual([found, found - 1]);
  // What is new comes after it.
  const more = publishNumbers(await busOf(again), found);
  const end = await more.end();
  expect(await numbers(again)).toEqual({ found: end, distinct: end, last: end - 1 });
  await again.stop();

  // In its own place the bus is there, with what came after the backup.
  await rename(join(other, 'storage', 'recordings'), recorder.recordings);
  await rm(join(recorder.folder, 'configs', 'accounts.json'));
  const replaced = await runProgram('restore', 'restore', [backup, '--config', config, '--replace']);
  expect(replaced).toMatchObject({ code: 0, errors: '' });
  const [kept = ''] = (await readdir(join(recorder.folder, 'storage'))).filter((name) =>
    /^before/.test(name),
  );
  expect(await readdir(join(recorder.folder, 'storage', kept))).toContain('sentrybus.duckdb');
  expect(await readFile(join(recorder.folder, 'configs', 'accounts.json'), 'utf8')).toContain('viewer');

  // While no recorder runs, what only the bus has is stored first.
  const cold = join(place, 'cold');
  const stopped = await runProgram('backup', 'backUp', [cold, '--config', config]);
  expect(stopped).toMatchObject({ code: 0, errors: '' });
  const stored = await lookAtNumbers(join(cold, 'storage', 'sentrybus.duckdb'));
  expect([stored.found, stored.distinct]).toEqual([whole, whole]);
}, 120_000);
