import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { startChild } from '../support/child.ts';
import { testMonitor } from '../support/monitors.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** What `npm run tap` does once everything is built. */
const entry = `import { tapBus } from ${JSON.stringify(join(project, 'dist/modules/actors/startup/tap-bus.js'))};
process.exitCode = await tapBus(process.argv.slice(1));`;

test('who runs the recorder can watch its bus, and finds its changes of state in the log', async () => {
  const recorder = await startRecorder({ monitors: [testMonitor('door')] });
  const config = join(recorder.folder, 'configs', 'sentryshot.toml');
  const tap = startChild('node', [
    ...['--input-type=module', '--eval', entry],
    ...['--', '--config', config, 'status.*'],
  ]);
  await tap.line(/^Watching/, 30_000);
  await recorder.change('POST', '/api/monitor/restart?id=door');
  await tap.line(/ status\.door \{"monitorID":"door","state":"/);

  const states = async () =>
    (await recorder.get<LogEntry[]>('/api/log/query?levels=debug&monitors=door&limit=1000')).map(
      ({ msg }) => msg,
    );
  const isLogged = async () =>
    (await states()).some((msg) => /^monitor door: running\.\S+ → running\.stopping$/.test(msg));
  await waitFor(isLogged, 15_000, 'the state in the log');

  await recorder.stop();
  expect(await tap.exited).toBe(1);
  expect(tap.lines.at(-1)).toBe('the bus is gone: the recorder has ended');
  await expect(access(join(recorder.folder, 'storage', 'bus', 'address.json'))).rejects.toThrow('ENOENT');
});
