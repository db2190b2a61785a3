import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { startChild } from './child.ts';
import {
  commandLine,
  cpuSeconds,
  descendants,
  environment,
  isAlive,
  memory,
  openFiles,
} from './processes.ts';
import { waitFor } from './wait.ts';

test('a child is read line by line and ends on request', async () => {
  const child = startChild('sh', ['-c', 'echo ready on port 17; echo oops >&2; exec sleep 60']);
  expect((await child.line(/port (\d+)/))[1]).toBe('17');
  await child.line(/oops/);
  expect(isAlive(child.pid)).toBe(true);
  expect(await child.stop()).toBe('SIGTERM');
  expect(isAlive(child.pid)).toBe(false);
});

test('a child that ends before its line is reported with what it said', async () => {
  const child = startChild('sh', ['-c', 'echo no such camera; exit 3']);
  await expect(child.line(/ready/)).rejects.toThrow(/ended \(3\).*no such camera/s);
  expect(await child.exited).toBe(3);
});

test('a frozen child can be stopped too', async () => {
  const child = startChild('sleep', ['60']);
  child.signal('SIGSTOP');
  expect(await child.stop()).toBe('SIGTERM');
});

test('a child does not outlive the process that started it', async () => {
  const parent = spawn('sh', ['-c', 'setpriv --pdeathsig KILL sleep 60 & echo $!; wait']);
  const [line] = await once(createInterface({ input: parent.stdout }), 'line');
  const pid = Number(line);
  await waitFor(() => commandLine(pid) === 'sleep 60', 5000, 'the grandchild');
  parent.kill('SIGKILL');
  await waitFor(() => !isAlive(pid), 5000, 'its end');
});

test('the processes below one are found, with what they use', async () => {
  const busy = 'x=$(head -c 300000000 /dev/zero | sha1sum); echo done; sleep 60 & wait';
  const child = startChild('sh', ['-c', busy], { env: { COLOUR: 'green' } });
  await child.line(/done/);
  const [sleep = 0] = await waitFor(() => matching(child.pid, /^sleep 60$/), 5000, 'sleep');
  expect(descendants(process.pid)).toEqual(expect.arrayContaining([child.pid, sleep]));
  expect(environment(sleep)).toContain('COLOUR=green');
  expect(openFiles(sleep)).toBeGreaterThanOrEqual(3);
  // sha1sum has ended: its time is known to its parent.
  expect(cpuSeconds(child.pid)).toBeGreaterThan(0.05);
  const { rss, pss } = memory(child.pid);
  expect(pss).toBeGreaterThan(100_000);
  expect(rss).toBeGreaterThan(pss);
});

function matching(pid: number, pattern: RegExp): number[] | undefined {
  const found = descendants(pid).filter((each) => pattern.test(commandLine(each)));
  return found.length > 0 ? found : undefined;
}
