import type { TSchema } from 'typebox';
import type { Route } from '../request/route.ts';
import { closeCodes } from '../request/websocket-connection.ts';
import { mqttParts } from './mqtt-channels.ts';

const closings: Readonly<Record<keyof typeof closeCodes, string>> = {
  goingAway: 'the server stops',
  policyViolation: 'the client sent a message',
  loginAgain: 'the account was changed or deleted, or the session has ended',
  adminRequired: 'the account is no longer an admin',
  deleted: 'the monitor was deleted',
  tooSlow: 'the client reads its frames too slowly',
  tooMany: 'too many clients watch',
};

/**
 * @param detectors names of all detectors.
 * @returns an AsyncAPI 3 document of the messages that the recorder sends over WebSockets and MQTT.
 */
export function asyncapi(table: readonly Route[], detectors: readonly string[]): object {
  const sockets = table.filter((row) => row.connect);
  const mqtt = mqttParts(detectors);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sentrybus',
      version: '1',
      license: { name: 'MIT' },
      description:
        'WebSockets need the same basic auth or session as requests, and browsers may open them only from our own pages.',
    },
    servers: {
      recorder: {
        host: '{host}',
        protocol: 'wss',
        description: 'The recorder itself; plain ws where TLS is off.',
        variables: { host: { default: '127.0.0.1:2020' } },
        security: [
          { $ref: '#/components/securitySchemes/basic' },
          { $ref: '#/components/securitySchemes/session' },
        ],
      },
      broker: {
        host: '{host}',
        protocol: 'mqtt',
        description: 'The broker configured for the plugin mqtt.',
        variables: { host: { default: '127.0.0.1:1883' } },
      },
    },
    channels: {
      ...Object.fromEntries(sockets.map((row) => [socketName(row), socketChannel(row)])),
      ...mqtt.channels,
    },
    operations: {
      ...Object.fromEntries(
        sockets.map((row) => [`send_${socketName(row)}`, operation(socketName(row), row.summary)]),
      ),
      ...mqtt.operations,
    },
    components: {
      messages: {
        ...Object.fromEntries(
          sockets
            .flatMap(({ messages = {} }) => Object.entries(messages))
            .map(([name, content]) => [name, messageOf(content)]),
        ),
        ...mqtt.messages,
      },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        session: { type: 'httpApiKey', in: 'cookie', name: '__Host-sentrybus' },
      },
    },
  };
}

/** For example `api_log_feed` for `/api/log/feed`. */
const socketName = ({ path }: Route) => path.slice(1).replace(/\W+/g, '_');

function socketChannel(row: Route): object {
  const codes = Object.entries(closings).map(
    ([name, why]) => `${closeCodes[name as keyof typeof closeCodes]}: ${why}`,
  );
  return {
    address: row.path.replace(/:(\w+)/g, '{$1}'),
    description: `${row.description} Close codes: ${codes.join('; ')}.`,
    servers: [{ $ref: '#/servers/recorder' }],
    ...parametersOf(row),
    messages: Object.fromEntries(
      Object.keys(row.messages ?? {}).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
    bindings: { ws: { method: row.method, query: row.query, bindingVersion: '0.1.0' } },
  };
}

function messageOf(content: TSchema | string): object {
  return typeof content === 'string'
    ? { contentType: 'video/mp4', description: content }
    : { contentType: 'application/json', payload: content };
}

function parametersOf({ params }: Route): object {
  if (!params) return {};
  const described = Object.entries(params.properties).map(([name, schema]) => {
    const { description } = schema as { readonly description?: string };
    return [name, { description }];
  });
  return { parameters: Object.fromEntries(described) };
}

function operation(channel: string, summary: string): object {
  return { action: 'send', summary, channel: { $ref: `#/channels/${channel}` } };
}
