import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import { startChild } from '../../support/child.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recorderProgram } from '../../support/recorder.ts';

/** `npm start` with these options, until it ends. */
async function start(...options: readonly string[]) {
  const child = startChild('node', ['--input-type=module', '--eval', recorderProgram(), '--', ...options]);
  return { exit: await child.exited, lines: child.lines };
}

test('a new cluster gets another secret each time, in lines for its configuration', async () => {
  const secrets = await Promise.all(
    [1, 2].map(async () => {
      const { exit, lines } = await start('--new-cluster');
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
    const { exit, lines } = await start('--tie-breaker', '--config', file);
    expect(exit).toBe(1);
    return lines.join('\n');
  };
  expect(await refusal('')).toBe(`${file}: cluster: expected a table [cluster] for a tie-breaker`);
  expect(await refusal(cluster)).toBe(
    `${file}: cluster.machines: expected the tie-breaker among the first three`,
  );
});
