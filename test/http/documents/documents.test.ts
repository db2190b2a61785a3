import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import { beforeAll, describe, expect, test } from 'vitest';
import { MqttEvent } from '../../../bus/messages.ts';
import { failureCodes } from '../../../http/documents/openapi.ts';
import { errors } from '../../../http/request/http-error.ts';
import { PublicEntry } from '../../../store/log/log-store.ts';
import { admin, type FrontDoor, openFrontDoor, user } from '../../support/http-server.ts';
import { project } from '../../support/project.ts';
import { routeTable } from '../../support/route-table.ts';

/** The documents are made from the table; these tests hold them against what the server does. */

const table = routeTable().filter(({ tag }) => tag !== 'Pages');

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters: readonly {
    name: string;
    in: string;
    required: boolean;
    style?: string;
    explode?: boolean;
  }[];
  readonly requestBody?: { content: Record<string, { schema: TSchema; example: unknown }> };
  readonly responses: Record<string, { content?: Record<string, { schema?: TSchema; example?: unknown }> }>;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, TSchema> };
}

let door: FrontDoor;
let api: OpenApi;
beforeAll(async () => {
  door = await openFrontDoor();
  api = (await (await door.fetch('/api/openapi.json', {}, user)).json()) as OpenApi;
});

const operation = (row: { method: string; path: string }) =>
  api.paths[row.path.replace(/:(\w+)/g, '{$1}')]?.[row.method.toLowerCase()];

/** The document's schemas are JSON; references lead to the named ones. */
function resolve(schema: unknown): TSchema {
  const text = JSON.stringify(schema, (_, value: unknown) => {
    const name = (value as { $ref?: string } | null)?.$ref?.split('/').at(-1);
    return name === undefined ? value : api.components.schemas[name];
  });
  return JSON.parse(text) as TSchema;
}

/** Every body that the document describes. */
const media = () =>
  Object.values(api.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ requestBody, responses }) => [requestBody, ...Object.values(responses)])
    .flatMap((part) => Object.values(part?.content ?? {}));

const fits = (schema: unknown, value: unknown) => Compile(resolve(schema)).Errors(value)[1];

describe('the OpenAPI document', () => {
  test('is version 3.1 and has every route but the pages, and no other', () => {
    expect(api.openapi).toMatch(/^3\.1\./);
    const documented = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(documented.sort()).toEqual(table.map(({ method, path }) => `${method} ${path}`).sort());
  });

  test('is valid for validators of others, its schemas too', async () => {
    const { valid, errors: wrong } = await new Validator().validate(structuredClone(api) as never);
    expect([valid, wrong]).toEqual([true, undefined]);
    // Not everybody compiles patterns with the flag `u`.
    for (const unicodeRegExp of [true, false]) {
      const ajv = new Ajv2020({ strict: false, formats: { binary: true }, unicodeRegExp });
      const check = (schema: TSchema, value: unknown) => {
        // Throws for what is no schema. References are to the document.
        const validate = ajv.compile({ ...schema, $id: 'api', components: api.components });
        validate(value);
        const found = validate.errors ?? [];
        ajv.removeSchema('api');
        return found;
      };
      for (const schema of Object.values(api.components.schemas)) check(schema, null);
      for (const { schema, example } of media()) {
        const found = check(schema as TSchema, example);
        if (example !== undefined) expect(found).toEqual([]);
      }
    }
  });

  test('takes passwords of any letters, whatever compiles its pattern', () => {
    const account = api.components.schemas['AccountInput'] as unknown as {
      properties: { plainPassword: { anyOf: readonly { pattern?: string }[] } };
    };
    const { pattern = '' } = account.properties.plainPassword.anyOf[0] ?? {};
    for (const flags of ['', 'u']) {
      const expression = new RegExp(pattern, flags);
      for (const password of ['Cs{p}', 'pass', 'ä€😀', '']) expect(expression.test(password)).toBe(true);
      for (const torn of ['\ud83d', '\ude00', 'a\ud83db', '\ude00\ud83d'])
        expect(expression.test(torn)).toBe(false);
    }
  });

  test('names every operation once', () => {
    const ids = Object.values(api.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('leads to no missing schema', () => {
    const references = [...JSON.stringify(api).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(references).toContain('Problem');
    for (const name of references) expect(Object.keys(api.components.schemas)).toContain(name);
  });

  test.each(table.map((row) => [`${row.method} ${row.path}`, row] as const))(
    'says of %s what it takes',
    (_, row) => {
      const found = operation(row);
      const given = [
        ...Object.keys(row.params?.properties ?? {}),
        ...Object.keys(row.query?.properties ?? {}),
      ];
      expect(found?.parameters.map(({ name }) => name)).toEqual(given);
      expect(found?.requestBody !== undefined).toBe(row.body !== undefined);
      const needed =
        row.access === 'public'
          ? []
          : [
              row.method === 'GET' || row.method === 'PATCH' ? ['basic'] : ['basic', 'csrfToken'],
              row.method === 'GET' ? ['session'] : ['session', 'csrfToken'],
            ];
      expect(found?.security.map(Object.keys)).toEqual(needed);
      const statuses = [
        ...Object.keys(row.answers),
        ...failureCodes(row).map((code) => String(errors[code].status)),
      ];
      expect(Object.keys(found?.responses ?? {})).toEqual([...new Set(statuses)].sort());
    },
  );

  test('has examples that fit their schemas', () => {
    const examples = media().filter(({ example }) => example !== undefined);
    expect(examples.length).toBeGreaterThan(3);
    for (const { schema, example } of examples) expect(fits(schema, example)).toEqual([]);
  });

  test('has request examples that the server takes', async () => {
    for (const row of table.filter(({ body }) => body)) {
      const example = operation(row)?.requestBody?.content['application/json']?.example;
      const { status } = await door.change(row.method, row.path, example);
      // What is put is new here.
      expect(status).toBe(Object.keys(row.answers).map(Number).sort().at(-1));
    }
  });

  const readable = table.filter(({ method, connect, params }) => method === 'GET' && !connect && !params);
  test.each(readable.map((row) => [row.path, row] as const))(
    'describes what GET %s really answers',
    async (_, row) => {
      const response = await door.fetch(row.path);
      const described = operation(row)?.responses[response.status];
      expect(described).toBeDefined();
      const text = await response.text();
      const type = response.headers.get('content-type')?.replace(/;.*/, '');
      expect(Object.keys(described?.content ?? {})).toEqual(type ? [type] : []);
      const schema = described?.content?.[type ?? '']?.schema;
      if (schema)
        expect(fits(schema, /^application\/(.+\+)?json$/.test(type ?? '') ? JSON.parse(text) : text)).toEqual(
          [],
        );
    },
  );

  test('describes failures as they are', async () => {
    const problem = api.components.schemas['Problem'];
    for (const response of [
      await door.fetch('/api/accounts', {}, null),
      await door.fetch('/api/accounts', {}, user),
      await door.fetch('/api/log/query?limit=0'),
      await door.change('PUT', '/api/account', {}),
      await door.change('DELETE', '/api/monitor?id=none'),
    ]) {
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      const body = (await response.json()) as { status: number };
      expect(fits(problem, body)).toEqual([]);
      expect(body.status).toBe(response.status);
    }
  });
});

describe('the AsyncAPI document', () => {
  interface Channel {
    readonly address: string;
    readonly parameters?: Record<string, { enum?: readonly string[] }>;
    readonly messages: Record<string, { $ref: string }>;
  }
  interface AsyncApi {
    readonly asyncapi: string;
    readonly channels: Record<string, Channel>;
    readonly components: {
      messages: Record<string, { contentType: string; payload: TSchema; examples?: { payload: unknown }[] }>;
    };
  }
  let document: AsyncApi;
  beforeAll(async () => {
    document = (await (await door.fetch('/api/asyncapi.json', {}, user)).json()) as AsyncApi;
  });

  test('is version 3 and has every WebSocket and the MQTT topics', () => {
    expect(document.asyncapi).toMatch(/^3\./);
    const sockets = table.filter(({ connect }) => connect).map(({ path }) => path.replace(/:(\w+)/g, '{$1}'));
    const addresses = Object.values(document.channels).map(({ address }) => address);
    const monitor = 'sentryshot/monitor/{id}';
    expect(addresses).toEqual([
      ...[...sockets, 'sentryshot/events/{source}', 'sentryshot/available'],
      'sentryshot/recorder/storage_days_left',
      ...['available', 'alive', 'storage_days_left'].map((topic) => `sentryshot/machine/{machine}/${topic}`),
      `${monitor}/machine`,
      ...[`${monitor}/{text}`, `${monitor}/{switch}`],
      ...[`${monitor}/{detector}/enabled`, `${monitor}/labels/{label}/present`],
      ...[`${monitor}/labels/{label}/count`, `${monitor}/event`, `${monitor}/snapshot`],
      ...[`${monitor}/{detector}/set`, `${monitor}/record/set`, 'homeassistant/device/{device}/config'],
      ...['homeassistant/status', 'frigate/events', 'frigate/{camera}/{label}'],
    ]);
  });

  test('describes what goes over the wire to a broker', () => {
    const recorded = readFileSync(join(project, 'test/bus/mqtt/house-topics.txt'), 'utf8').trim().split('\n');
    for (const line of recorded) {
      const [, topic = '', content = ''] = /^(\S+) [^:]*: (.*)$/.exec(line) ?? [];
      const found = Object.values(document.channels).filter((each) => pattern(each).test(topic));
      expect([topic, found.length]).toEqual([topic, 1]);
      const [name = ''] = Object.keys(found[0]?.messages ?? {});
      const { contentType, payload } = document.components.messages[name] ?? {};
      // An empty one clears its topic.
      if (content === 'empty' || payload === undefined) continue;
      const text = content
        .replaceAll('TIME', '2024-11-20T14:23:15.437494000Z')
        .replaceAll('SECONDS', '1732112595.5');
      const value: unknown = contentType === 'application/json' ? JSON.parse(text) : text;
      expect([topic, fits(payload, value)]).toEqual([topic, []]);
    }
  });

  /** The topics of a channel. */
  function pattern({ address, parameters = {} }: Channel): RegExp {
    const parts = address.replace(/\{(\w+)\}/g, (_, name: string) => {
      const values = parameters[name]?.enum;
      return values ? `(${values.join('|')})` : '[^/]+';
    });
    return new RegExp(`^${parts}$`);
  }

  test("has the bus's own schemas", () => {
    const { logEntry, event } = document.components.messages;
    expect(logEntry?.payload).toEqual(JSON.parse(JSON.stringify(PublicEntry)));
    expect(event?.payload).toEqual(JSON.parse(JSON.stringify(MqttEvent)));
    expect(Object.keys(MqttEvent.properties)).toEqual([
      'monitorID',
      'monitorName',
      'label',
      'score',
      'time',
      'source',
    ]);
    for (const { payload } of event?.examples ?? []) expect(fits(event?.payload, payload)).toEqual([]);
  });

  test('describes the frames of the live feed', async () => {
    const feed = await door.feed('/api/logs', admin);
    door.log.info('a frame');
    const frame = await feed.frame(() => true);
    expect(fits(document.components.messages['logEntry']?.payload, frame)).toEqual([]);
  });
});
