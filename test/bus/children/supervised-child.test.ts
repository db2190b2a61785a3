import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ChildOptions, SupervisedChild } from '../../../bus/children/supervised-child.ts';
import { startChild } from '../../support/child.ts';
import { atEnd } from '../../support/cleanup.ts';
import { descendants, isAlive } from '../../support/processes.ts';
import { project } from '../../support/project.ts';
import { waitFor } from '../../support/wait.ts';

/** Ends when its parent asks for it, or has gone. */
const lively = `setInterval(() => process.send?.('alive'), 100); process.on('disconnect', () => process.exit()); process.on('message', () => process.exit());`;
const deaf = `setInterval(() => {}, 1000); process.send('ready');`;

function start(script: string, options: Partial<ChildOptions<string>> = {}) {
  let heard = () => {};
  const message = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const child = new SupervisedChild<string>({
    start: () => spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
    onMessage: () => {
      child.markReady();
      heard();
    },
    askToStop: () => child.send('stop'),
    stopMs: 500,
    orphanMs: 500,
    ...options,
  });
  atEnd(async () => {
    child.kill();
    await child.ended;
  });
  return { child, message };
}

describe('the end of a child', () => {
  test('before it was ready is a start that failed', async () => {
    const { child } = start(`console.error('there is no camera'); process.exitCode = 3;`);
    expect(await child.ended).toEqual({
      kind: 'never-started',
      how: 'did not start: ended with code 3',
      lastLine: 'there is no camera',
    });
    const missing = start('', { start: () => spawn('/nowhere/at-all') });
    expect(await missing.child.ended).toMatchObject({
      kind: 'never-started',
      how: 'did not start: spawn /nowhere/at-all ENOENT',
    });
    expect(missing.child.pid).toBe(0);
  });

  test('by itself is distinguished from one that was requested', async () => {
    const killed = start(lively);
    await killed.message;
    process.kill(killed.child.pid, 'SIGKILL');
    expect(await killed.child.ended).toMatchObject({ kind: 'died', how: 'was ended by SIGKILL' });
    const stopped = start(lively);
    await stopped.message;
    expect(await stopped.child.stop()).toMatchObject({ kind: 'stopped', how: 'ended with code 0' });
  });

  test('is forced when it does not come in time', async () => {
    const { child, message } = start(deaf);
    await message;
    expect(await child.stop()).toMatchObject({ kind: 'stopped', how: 'did not end within 0.5 s' });
    expect(isAlive(child.pid)).toBe(false);
  });
});

test('a child that is not ready in time never started', async () => {
  const { child } = start('setInterval(() => {}, 1000)', { readyMs: 300 });
  expect(await child.ended).toMatchObject({
    kind: 'never-started',
    how: 'did not start: was not ready within 0.3 s',
  });
});

test('a child that hangs is killed when it was silent for long enough', async () => {
  const { child, message } = start(`process.send('alive', () => { for (;;); })`, { silenceMs: 2000 });
  await message;
  expect(await child.ended).toMatchObject({ kind: 'died', how: 'did not answer for 2 s' });
});

/** A process of its own with one child, which it expects to hear from every second. */
async function startParent() {
  const script = `
    import { spawn } from 'node:child_process';
    import { SupervisedChild } from ${JSON.stringify(join(project, 'dist/modules/bus/children/supervised-child.js'))};
    let heard = 0;
    const child = new SupervisedChild({
      start: () => spawn(process.execPath, ['-e', ${JSON.stringify(lively)}], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      onMessage: () => console.log('heard ' + (heard += 1)),
      silenceMs: 1000,
      askToStop() {},
      stopMs: 500,
      orphanMs: 500,
    });
    child.ended.then(({ how }) => console.log(how));
    console.log('child ' + child.pid);`;
  const parent = startChild(process.execPath, ['--input-type=module', '--eval', script]);
  const [, pid] = await parent.line(/^child (\d+)$/);
  await parent.line(/^heard 1$/);
  return { parent, pid: Number(pid) };
}

const heardBy = (lines: readonly string[]) => lines.filter((line) => line.startsWith('heard')).length;

test('a parent that was suspended for longer than the silence kills no healthy child', async () => {
  const { parent, pid } = await startParent();
  for (let round = 1; round <= 3; round += 1) {
    parent.signal('SIGSTOP');
    await sleep(1500);
    parent.signal('SIGCONT');
    const before = heardBy(parent.lines);
    await waitFor(() => heardBy(parent.lines) > before + 20, 10_000, 'what came meanwhile, and more');
    expect(isAlive(pid)).toBe(true);
  }
});

test('a child that hangs outlives its parent for a moment only, and nothing else stays', async () => {
  const { parent, pid } = await startParent();
  const all = descendants(parent.pid);
  process.kill(pid, 'SIGSTOP');
  await parent.kill();
  await waitFor(() => !all.some(isAlive), 10_000, 'the end of all that it started');
});
