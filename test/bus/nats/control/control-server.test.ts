import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { checkNatsVersion } from '../../../../bus/nats/control/control-server.ts';
import { temporaryFolder } from '../../../support/folder.ts';

afterEach(() => vi.unstubAllEnvs());

test.each([
  ['2.9.10', true],
  ['2.10.27', true],
  ['2.12.5', true],
  ['2.12.6', false],
  ['2.15.1', false],
])('nats-server %s is refused for a cluster: %s', async (version, isRefused) => {
  const folder = await temporaryFolder();
  const program = `#!/bin/sh\necho "nats-server: v${version}"\n`;
  await writeFile(join(folder, 'nats-server'), program, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  const refusal = expect.stringMatching(`needs nats-server 2.12.6 or later, this is ${version}: install`);
  const failure = await checkNatsVersion().then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(failure).toEqual(isRefused ? refusal : undefined);
});
