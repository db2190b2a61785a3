import { type TSchema, Type } from 'typebox';
import { AccountInput } from '../../store/accounts/accounts.ts';
import { PublicEntry } from '../../store/log/log-store.ts';
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

/** Schemas that the document defines once and refers to by name. */
const named: readonly (readonly [TSchema, string])[] = [
  [AccountInput, 'AccountInput'],
  [PublicEntry, 'LogEntry'],
  [Problem, 'Problem'],
];

/** Descriptions of the tags; pages are not part of the API. */
const tags: Readonly<Record<Exclude<Tag, 'Pages'>, string>> = {
  Account: 'Accounts that may log in.',
  Monitor: 'Cameras and other sources: recording and detection.',
  Events: 'Detections.',
  Recordings: 'Footage: lists, files, what happened when.',
  Live: 'What the monitors show now.',
  Logs: 'The log: queries, counts, exports, SQL.',
  System: 'About the recorder itself.',
};

const methods = new Intl.ListFormat('en-GB').format(tokenMethods);

/**
 * @param monitor schema of a monitor's configuration.
 * @returns an OpenAPI 3.1 document of all routes except pages.
 */
export function openapi(table: readonly Route[], monitor: TSchema, server: string): object {
  const schemas = new Map([...named, [monitor, 'Monitor'] as const]);
  const reference = referrer(schemas);
  const paths: Record<string, Record<string, object>> = {};
  for (const row of table.filter(({ tag }) => tag !== 'Pages')) {
    const path = row.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(row, reference) };
  }
  return inCommonWords({
    openapi: '3.1.0',
    info: {
      title: 'Sentrybus',
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description: `Every request but \`/api/health\` and the login needs basic auth, or the cookie of a session (\`POST /api/session\`). ${methods}, with the cookie PATCH too, also need the token of the account or the session from \`/api/account/my-token\` in the header \`X-CSRF-TOKEN\`; this page fills it in. Times are Unix times in microseconds. GET paths answer HEAD too. Failures are \`application/problem+json\`.`,
    },
    servers: [{ url: server }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].map(([schema, name]) => [name, schema])),
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-sentrybus' },
        csrfToken: { type: 'apiKey', in: 'header', name: 'X-CSRF-TOKEN' },
      },
    },
  });
}

/**
 * A copy in words that generators of clients know: tuples are `prefixItems` (TypeBox writes an older draft's `items`), and
 * objects of any names have `additionalProperties` (TypeBox writes `patternProperties`, from which they make objects without
 * members).
 */
function inCommonWords<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part;
    if ('items' in part && Array.isArray(part.items)) return withPrefixItems(part);
    if ('patternProperties' in part && !('properties' in part)) return withAnyNames(part);
    return part;
  }) as T;
}

function withPrefixItems({
  items,
  additionalItems,
  ...rest
}: {
  items?: unknown;
  additionalItems?: unknown;
}) {
  return { ...rest, prefixItems: items, ...(additionalItems !== undefined && { items: additionalItems }) };
}

const anyName = '^.*$';

/** @param record an object whose names fit one pattern, as TypeBox writes it. */
function withAnyNames(record: { patternProperties?: unknown }): object {
  const { patternProperties, ...rest } = record;
  const [[pattern, schema] = [anyName, {}], ...others] = Object.entries(patternProperties as object);
  if (others.length > 0) return record;
  return {
    ...rest,
    ...(pattern !== anyName && { propertyNames: { pattern } }),
    additionalProperties: schema,
  };
}

const audience: Readonly<Record<Access, string>> = {
  public: '',
  user: 'For every account.',
  admin: 'For admins.',
};

function operation(row: Route, reference: Reference): object {
  const { tag, summary, description, access, method } = row;
  const body = row.documentedBody ?? row.body;
  const security =
    access === 'public'
      ? []
      : [
          { basic: [], ...(tokenMethods.includes(method) && { csrfToken: [] }) },
          { session: [], ...(method !== 'GET' && { csrfToken: [] }) },
        ];
  return {
    tags: [tag],
    summary,
    description: [description, audience[access]].filter(Boolean).join(' '),
    operationId: operationId(row),
    security,
    parameters: [...parameters(row.params, 'path'), ...parameters(row.query, 'query')],
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: reference(body), example: row.bodyExample } },
      },
    }),
    responses: { ...successes(row, reference), ...failures(row, reference) },
  };
}

/** For example `getLogQuery` for `GET /api/log/query`. */
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
      // Items are separated by commas.
      ...(type === 'array' && { style: 'form', explode: false }),
    };
  });
}

function successes(row: Route, reference: Reference): Record<string, object> {
  return Object.fromEntries(
    Object.entries(row.answers).map(([status, { description, type, types, schema, example }]) => {
      // No HTTP body follows the handshake; the AsyncAPI document describes the frames.
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

function failures(row: Route, reference: Reference): Record<string, object> {
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

/** @returns the errors of a route: those of the gate, of parsing the request, and its own. */
export function failureCodes(row: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(['malformed_request']);
  const add = (...more: ErrorCode[]) => {
    for (const code of more) codes.add(code);
  };
  if (row.params || row.query || row.body) add('invalid_value');
  if (row.body) add('malformed_json', 'unsupported_media_type');
  // Also for routes without a body: the server reads a request to its end.
  if (row.method !== 'GET') add('too_large');
  if (row.access !== 'public') add('login_required', 'login_failed', 'too_many_logins', 'host_refused');
  if (row.access === 'admin') add('admin_required');
  if (row.method !== 'GET' && row.access !== 'public') add('csrf_token_wrong');
  if (row.method !== 'GET' || row.access !== 'public') add('origin_refused');
  add(...(row.failures ?? []), 'internal');
  return [...codes];
}

/** Makes a copy of a schema with references in place of the named schemas. */
type Reference = (schema: unknown) => unknown;

function referrer(names: ReadonlyMap<TSchema, string>): Reference {
  return function reference(schema: unknown): unknown {
    const name = names.get(schema as TSchema);
    if (name) return { $ref: `#/components/schemas/${name}` };
    if (Array.isArray(schema)) return schema.map(reference);
    if (typeof schema !== 'object' || schema === null) return schema;
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, reference(value)]));
  };
}
