import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { expect, test } from 'vitest';
import { startChild } from '../../support/child.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recorderProgram } from '../../support/recorder.ts';

/** `npm start` with these options, until it ends. */
async function start(options: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const args = ['--input-type=module', '--eval', recorderProgram(), '--', ...options];
  const child = startChild('node', args, { env });
  return { exit: await child.exited, lines: child.lines };
}

test('a new cluster gets another secret each time, in lines for its configuration', async () => {
  const secrets = await Promise.all(
    [1, 2].map(async () => {
      const { exit, lines } = await start(['--new-cluster']);
      expect(exit).toBe(0);
      const { cluster } = parse(lines.join('\n')) as { cluster: { machines: string[]; secret: string } };
      expect(cluster.machines).toHaveLength(3);
      return cluster.secret;
    }),
  );
  expect(secrets[0]).toMatch(/^[A-Za-z0-9]{43}$/);
  expect(secrets[1]).not.toBe(secrets[0]);
});

test('a tie-breaker needs a place among those that vote', async () => {
  const file = join(await temporaryFolder(), 'sentryshot.toml');
  const cluster = `[cluster]\nmachines = ["a", "b", "c", "d"]\nsecret = "${'s'.repeat(43)}"\nname = "d"\n`;
  const refusal = async (text: string) => {
    await writeFile(file, text);
    const { exit, lines } = await start(['--tie-breaker', '--config', file]);
    expect(exit).toBe(1);
    return lines.join('\n');
  };
  expect(await refusal('')).toBe(`${file}: cluster: expected a table [cluster] for a tie-breaker`);
  expect(await refusal(cluster)).toBe(
    `${file}: cluster.machines: expected the tie-breaker among the first three`,
  );
});

test.each([
  ['a recorder', []],
  ['a tie-breaker', ['--tie-breaker']],
])('%s of a cluster does not start with an older nats-server, and says what to install', async (_, role) => {
  const folder = await temporaryFolder();
  const older = '#!/bin/sh\necho "nats-server: v2.9.10"\n';
  await writeFile(join(folder, 'nats-server'), older, { mode: 0o755 });
  const file = join(folder, 'sentryshot.toml');
  const text = stringify({
    ...{ host: '127.0.0.1', port: 0, storage_dir: join(folder, 'storage') },
    plugin: [{ name: 'auth_basic', enable: true }],
    cluster: { machines: ['127.0.0.1', '127.0.0.2'], name: '127.0.0.1', secret: 's'.repeat(43) },
  });
  await writeFile(file, text);
  const PATH = `${folder}:${process.env['PATH']}`;
  const { exit, lines } = await start([...role, '--config', file], { PATH });
  expect(exit).toBe(1);
  expect(lines.at(-1)).toMatch(
    /^\[cluster\] needs nats-server \d+\.\d+\.\d+ or later, this is 2\.9\.10: install the \.deb of https:\S+, or remove \[cluster\]$/,
  );
  expect(lines.join('\n')).not.toMatch(/^ +at /m);
});
