import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import openapiTypes from 'openapi-typescript';
import { expect, test } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { motion, testMonitor } from '../support/monitors.ts';
import { project } from '../support/project.ts';
import { startRecorder } from '../support/recorder.ts';

/**
 * A program that somebody writes with a client of the recorder's own document: every call of the API that Sentrybus
 * takes over, with the types that were generated. openapi-typescript 6, because 7 needs TypeScript 5 beside it.
 */
const program = `
import createClient from 'openapi-fetch';
import type { paths } from './api.ts';

type Monitor = paths['/api/monitor']['put']['requestBody']['content']['application/json'];

export async function run(baseUrl: string, authorization: string, fetch: typeof globalThis.fetch) {
  const statuses: number[] = [];
  const seen = <Answer extends { response: Response }>(answer: Answer): Answer => {
    statuses.push(answer.response.status);
    return answer;
  };
  const reader = createClient<paths>({ baseUrl, fetch, headers: { authorization } });
  const { data: token } = seen(await reader.GET('/api/account/my-token', { parseAs: 'text' }));
  const client = createClient<paths>({
    baseUrl,
    fetch,
    // Lists are separated by commas, as the document says: \`explode: false\`.
    querySerializer: (query: object) => new URLSearchParams(Object.entries(query)).toString(),
    headers: { authorization, 'X-CSRF-TOKEN': String(token) },
  });

  const account = { id: 'ada', username: 'ada', isAdmin: false, plainPassword: 'pass' };
  seen(await client.PUT('/api/account', { body: account }));
  const accounts = seen(await client.GET('/api/accounts', {}));
  seen(await client.DELETE('/api/account', { params: { query: { id: 'ada' } } }));

  const monitors = seen(await client.GET('/api/monitors', {}));
  const found: Monitor | undefined = Object.values(monitors.data ?? {})[0];
  if (!found) throw new Error('there is no monitor');
  seen(await client.PATCH('/api/monitor/{id}/motion/disable', { params: { path: { id: found.id } } }));
  seen(await client.PATCH('/api/monitor/{id}/motion/enable', { params: { path: { id: found.id } } }));
  seen(await client.PUT('/api/monitor', { body: { ...found, name: 'Front door' } }));
  const renamed = Object.values((await client.GET('/api/monitors', {})).data ?? {})[0]?.name;
  seen(await client.DELETE('/api/monitor', { params: { query: { id: found.id } } }));

  const entries = seen(
    await client.GET('/api/log/query', {
      params: { query: { levels: ['info', 'warning'], sources: ['app', 'monitor'], limit: 2 } },
    }),
  );
  const levels: string[] = (entries.data ?? []).map(({ level }) => level);
  return { statuses, names: Object.values(accounts.data ?? {}).map(({ username }) => username), renamed, levels };
}
`;

const settings = {
  compilerOptions: {
    ...{ strict: true, noEmit: true, module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom'] },
    ...{ allowImportingTsExtensions: true, types: [], skipLibCheck: true },
  },
  files: ['client.ts'],
};

test('a client that is generated from the OpenAPI document has the right types, and its calls are answered', async () => {
  const recorder = await startRecorder({ monitors: [testMonitor('door', { motion })] });
  const cache = join(project, 'test/.cache');
  await mkdir(cache, { recursive: true });
  // Within the project, so that the program finds openapi-fetch.
  const folder = await mkdtemp(join(cache, 'client-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const document = await recorder.get<object>('/api/openapi.json');
  await writeFile(join(folder, 'api.ts'), await openapiTypes(document as Parameters<typeof openapiTypes>[0]));
  await writeFile(join(folder, 'client.ts'), program);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  expect(errorsOf(() => execFileSync(process.execPath, [compiler, '-p', folder], { stdio: 'pipe' }))).toBe(
    '',
  );

  const { run } = (await import(join(folder, 'client.ts'))) as {
    run(url: string, authorization: string, fetch: typeof globalThis.fetch): Promise<object>;
  };
  const { username, password } = recorder.admin;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const trusting = (input: unknown, init: RequestInit = {}) =>
    recorder.fetch(
      String(input).slice(recorder.url.length),
      {
        method: init.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(typeof init.body === 'string' && { body: init.body }),
      },
      null,
    );
  const answer = await run(recorder.url, authorization, trusting as typeof globalThis.fetch);
  expect(answer).toEqual({
    statuses: [200, 201, 200, 200, 200, 200, 200, 200, 200, 200],
    names: expect.arrayContaining(['admin', 'ada']),
    renamed: 'Front door',
    levels: ['info', 'info'],
  });
});

/** @returns what a compiler complains about; empty if it does not. */
function errorsOf(compile: () => void): string {
  try {
    compile();
    return '';
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}
