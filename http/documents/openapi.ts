import Type, { type TSchema } from 'typebox';
import { LogEntry } from '../../bus/messages.ts';
import { AccountInput } from '../../store/accounts/accounts.ts';
import { MonitorConfig } from '../../store/monitors/monitor-config.ts';
import type { Access } from '../request/caller.ts';
import { type ErrorCode, errors, problemType } from '../request/http-error.ts';
import { type Route, type Tag, tokenMethods } from '../request/route.ts';

const Problem = Type.Object({
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'One sentence for the person who made the request.' }),
  code: Type.Enum(Object.keys(errors), { description: 'Stable.' }),
  pointer: Type.Optional(
    Type.String({ description: 'JSON pointer to the bad field, in the body or among the query parameters.' }),
  ),
});

/** Schemas that stand in the documents under a name. */
const named = new Map<TSchema, string>([
  [AccountInput, 'AccountInput'],
  [LogEntry, 'LogEntry'],
  [MonitorConfig, 'Monitor'],
  [Problem, 'Problem'],
]);

/** Pages are no part of the API. */
const tags: Readonly<Record<Exclude<Tag, 'Pages'>, string>> = {
  Account: 'Who may log in.',
  Monitor: 'Cameras and other sources: what is recorded and detected.',
  Events: 'What was detected.',
  Logs: 'What happened.',
  System: 'About the recorder itself.',
};

const methods = new Intl.ListFormat('en-GB').format(tokenMethods);

/** The table, but for the pages, as an OpenAPI 3.1 document. */
export function openapi(table: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const row of table.filter(({ tag }) => tag !== 'Pages')) {
    const path = row.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(row) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sentrybus',
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description: `Every request needs basic auth. ${methods} also need the token of the account from \`/api/account/my-token\` in the header \`X-CSRF-TOKEN\`; this page fills it in. Times are Unix times in microseconds. GET paths answer HEAD too. Failures are \`application/problem+json\`.`,
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries([...named].map(([schema, name]) => [name, schema])),
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        csrfToken: { type: 'apiKey', in: 'header', name: 'X-CSRF-TOKEN' },
      },
    },
  };
}

const who: Readonly<Record<Access, string>> = {
  public: '',
  user: 'For every account.',
  admin: 'For admins.',
};

function operation(row: Route): object {
  const { tag, summary, description, access, method } = row;
  const body = row.documentedBody ?? row.body;
  const security =
    access === 'public' ? [] : [{ basic: [], ...(tokenMethods.includes(method) && { csrfToken: [] }) }];
  return {
    tags: [tag],
    summary,
    description: [description, who[access]].filter(Boolean).join(' '),
    operationId: operationId(row),
    security,
    parameters: [...parameters(row.params, 'path'), ...parameters(row.query, 'query')],
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: reference(body), example: row.bodyExample } },
      },
    }),
    responses: { ...successes(row), ...failures(row) },
  };
}

/** `GET /api/log/query` is `getLogQuery`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== '' && word !== 'api');
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return method.toLowerCase() + name;
}

function parameters(schema: Route['query'], place: 'path' | 'query'): object[] {
  return Object.entries<TSchema>(schema?.properties ?? {}).map(([name, property]) => {
    const { type, description } = property as { type?: string; description?: string };
    return {
      name,
      in: place,
      required: schema?.required?.includes(name) ?? false,
      ...(description && { description }),
      schema: property,
      // Lists are written with commas.
      ...(type === 'array' && { style: 'form', explode: false }),
    };
  });
}

function successes(row: Route): Record<string, object> {
  return Object.fromEntries(
    Object.entries(row.answers).map(([status, { description, type, types, schema, example }]) => {
      // Nothing follows the handshake in HTTP; the other document tells what the frames hold.
      if (status === '101' || (!schema && !type && !types)) return [status, { description }];
      const media = {
        ...(schema && { schema: reference(schema) }),
        ...(example !== undefined && { example }),
      };
      const names = (types ?? [type ?? 'application/json']).map((name) => name.replace(/;.*/, ''));
      return [status, { description, content: Object.fromEntries(names.map((name) => [name, media])) }];
    }),
  );
}

function failures(row: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of failureCodes(row)) {
    const { status } = errors[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { [problemType]: { schema: reference(Problem) } };
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\`: ${errors[code].meaning}`).join('; ');
      return [status, { description, content }];
    }),
  );
}

/** Which failures a route can answer with: those of the gate, of reading the request, and its own. */
export function failureCodes(row: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(['malformed_request']);
  const add = (...more: ErrorCode[]) => {
    for (const code of more) codes.add(code);
  };
  if (row.params || row.query || row.body) add('invalid_value');
  if (row.body) add('malformed_json', 'unsupported_media_type');
  // Also where no body is expected: the connection has to be read to its end.
  if (row.method !== 'GET') add('too_large');
  if (row.access !== 'public') add('login_required', 'login_failed', 'too_many_logins', 'host_refused');
  if (row.access === 'admin') add('admin_required');
  if (row.method !== 'GET') add('csrf_token_wrong');
  if (row.method !== 'GET' || row.connect) add('origin_refused');
  add(...(row.failures ?? []), 'internal');
  return [...codes];
}

/** A copy in which the named schemas are references. */
function reference(schema: unknown): unknown {
  const name = named.get(schema as TSchema);
  if (name) return { $ref: `#/components/schemas/${name}` };
  if (Array.isArray(schema)) return schema.map(reference);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, reference(value)]));
}
