import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessOf, type Route, tokenMethods } from '../../http/request/route.ts';
import { project } from '../support/project.ts';
import { expectInReadme, table } from '../support/readme.ts';
import { routeTable } from '../support/route-table.ts';

// Only the rows' descriptions are read; no handler is called.
const rows = routeTable();

test('the README of http lists every route with its access', () => {
  const lines = rows.map(({ method, path, access, summary }) => [method, `\`${path}\``, access, summary]);
  expectInReadme('http/README.md', 'routes', table(['method', 'path', 'access', 'summary'], lines));
});

test('the README names the methods that need a token', () => {
  const methods = new Intl.ListFormat('en-GB').format(tokenMethods);
  expect(readFileSync(join(project, 'README.md'), 'utf8').replaceAll('\n', ' ')).toContain(
    `${methods} also need the account's token`,
  );
});

test.each([
  [[], 'user'],
  [['public'], 'public'],
  [['public', 'user'], 'user'],
  [['user', 'admin'], 'admin'],
] as const)('a path with the rows %j asks for %s', (accesses, expected) => {
  expect(accessOf(accesses.map((access) => ({ access }) as Route))).toBe(expected);
});
