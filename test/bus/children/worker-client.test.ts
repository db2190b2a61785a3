import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { WorkerClient, type WorkerEnd } from '../../../bus/children/worker-client.ts';
import type { WorkerRefusal } from '../../../bus/children/worker-protocol.ts';
import { startChild } from '../../support/child.ts';
import { atEnd } from '../../support/cleanup.ts';
import { project } from '../../support/project.ts';

/** A thread that does as it is told. */
const script = `data:text/javascript,${encodeURIComponent(`
  import { execFileSync } from 'node:child_process';
  import { parentPort as port } from 'node:worker_threads';
  port.on('message', ({ id, task }) => {
    if (task === 'fail') throw new RangeError('the memory is full');
    if (task === 'refuse') return port.postMessage({ kind: 'refusal', id, message: 'not that one' });
    if (task === 'loop') for (;;);
    if (task === 'native') execFileSync('sleep', ['3']);
    if (task === 'close') return process.exit();
    if (task === 'late') return setTimeout(() => port.postMessage({ kind: 'answer', id, answer: task }), 700);
    port.postMessage({ kind: 'own', task });
    port.postMessage({ kind: 'answer', id, answer: task });
  });
  port.postMessage({ kind: 'ready' });
`)}`;

function startClient(source = script) {
  const ends: WorkerEnd<string>[] = [];
  const own: unknown[] = [];
  const stuck: unknown[] = [];
  const client = new WorkerClient<object, WorkerRefusal, string>({
    start: () => new Worker(new URL(source)),
    askToStop: (worker) => worker.postMessage({ task: 'close' }),
    onMessage: (message) => void own.push(message),
    onRefusal: ({ message }) => new Error(message),
    onEnd(end) {
      ends.push(end);
      return new Error(`${end.kind}: ${end.cause?.message}`);
    },
    onStuck: { afterMs: 100, call: (at) => void stuck.push(at) },
  });
  atEnd(async () => void (await client.stop(5000)));
  const ask = (task: string, deadlineMs?: number) =>
    client.ask((id) => ({ id, task }), { about: task, ...(deadlineMs !== undefined && { deadlineMs }) });
  return { client, ask, ends, own, stuck };
}

test('a thread starts with its first task, answers, refuses, and says what nobody asked for', async () => {
  const { client, ask, ends, own } = startClient();
  expect(await Promise.all([ask('one'), ask('two')])).toEqual(['one', 'two']);
  await expect(ask('refuse')).rejects.toThrow('not that one');
  expect(own).toEqual([
    { kind: 'own', task: 'one' },
    { kind: 'own', task: 'two' },
  ]);
  expect(await client.stop(5000)).toBe(true);
  expect(ends).toMatchObject([{ kind: 'stopped' }]);
});

test('a thread that ends before it is ready never started, and its tasks fail with it', async () => {
  const broken = `data:text/javascript,throw new Error('there is no database')`;
  const { client, ask, ends } = startClient(broken);
  await expect(client.start()).rejects.toThrow('never-started: there is no database');
  await expect(ask('one')).rejects.toThrow('never-started: there is no database');
  expect(ends).toMatchObject([{ kind: 'never-started' }, { kind: 'never-started', at: 'one' }]);
});

test('a thread that dies names the task that it was at, and the next task gets another one', async () => {
  const { client, ask, ends } = startClient();
  await client.start();
  const [fails, waits] = await Promise.allSettled([ask('fail'), ask('one')]);
  expect([fails.status, waits.status]).toEqual(['rejected', 'rejected']);
  expect(ends).toMatchObject([{ kind: 'died', at: 'fail', cause: { message: 'the memory is full' } }]);
  expect(await ask('one')).toBe('one');
});

test('a thread that gives no answer in time is ended; one inside native code is reported', async () => {
  const { client, ask, ends, stuck } = startClient();
  await client.start();
  await expect(ask('loop', 500)).rejects.toThrow('died');
  await client.start();
  await expect(ask('native', 500)).rejects.toThrow('died');
  expect(ends).toMatchObject([
    { kind: 'died', silentMs: 500, at: 'loop' },
    { kind: 'died', silentMs: 500, at: 'native' },
  ]);
  await client.start();
  await expect.poll(() => stuck, { timeout: 2000 }).toEqual(['native']);
});

test('a thread that ignores the stop is abandoned after the deadline', async () => {
  const { client, ask } = startClient();
  await client.start();
  const asked = ask('native');
  expect(await client.stop(200)).toBe(false);
  expect(await asked).toBe('native');
});

test('a process that was suspended for longer than the deadline ends no thread', async () => {
  const main = `
    import { Worker } from 'node:worker_threads';
    import { WorkerClient } from ${JSON.stringify(join(project, 'dist/modules/bus/children/worker-client.js'))};
    const client = new WorkerClient({
      start: () => new Worker(new URL(${JSON.stringify(script)})),
      askToStop: (worker) => worker.terminate(),
      onRefusal: ({ message }) => new Error(message),
      onEnd: ({ kind, silentMs }) => new Error(kind + ' ' + silentMs),
    });
    await client.start();
    const answer = client.ask((id) => ({ id, task: 'late' }), { deadlineMs: 2000 });
    console.log('asked');
    console.log('answer ' + (await answer.catch(({ message }) => message)));
    await client.stop(1000);`;
  const process_ = startChild(process.execPath, ['--input-type=module', '--eval', main]);
  await process_.line(/^asked$/);
  process_.signal('SIGSTOP');
  await sleep(2500);
  process_.signal('SIGCONT');
  const [, answer] = await process_.line(/^answer (.*)$/);
  expect(answer).toBe('late');
});
