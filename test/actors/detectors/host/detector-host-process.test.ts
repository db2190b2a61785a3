import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { project } from '../../../support/project.ts';

test('a host that is asked to stop before it listens ends without a word', async () => {
  const file = join(project, 'dist/actors/detectors/host/detector-host-process.js');
  const child = fork(file, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  child.send('stop');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(said).toBe('');
});
