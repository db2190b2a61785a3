import { type Static, Type } from 'typebox';

/** Schema of `sentryshot.toml`. Every `description` completes the error message "expected …". */

const strict = { additionalProperties: false } as const;

const text = (description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\p{Cc}]*$', description });
const folder = Type.String({
  minLength: 1,
  maxLength: 1024,
  pattern: '^/[^\\p{Cc}]*$',
  description: 'an absolute path',
});
const port = Type.Integer({
  minimum: 0,
  maximum: 65535,
  description: 'a port, 0 to 65535 (0: any free one)',
});
const flag = Type.Boolean({ description: 'true or false' });

const topic = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,7}$',
  description: 'levels of letters, digits, hyphens, dots and underscores, with "/" between them',
});

const proxy = Type.String({
  pattern: '^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$',
  description: 'an address or network, like "192.0.2.1" or "10.0.0.0/8"',
});

const machine = Type.String({
  pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})$',
  description: 'the name or address of a machine',
});

/** Validated by `config.ts`, because the names depend on the list of detectors. */
const name = Type.String({ description: 'the name of a plugin' });

/** The keys of every `[[plugin]]`. */
export const PluginEntry = Type.Object({ name, enable: flag }, strict);

export const MqttEntry = Type.Object(
  {
    name,
    enable: flag,
    host: Type.Optional(
      Type.String({
        pattern: '^([A-Za-z0-9.:_-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])$',
        description: 'the host name or address of the broker',
      }),
    ),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'a port, 1 to 65535' })),
    protocol: Type.Optional(
      Type.Enum(['mqtt', 'mqtts', 'ws', 'wss'], { description: '"mqtt", "mqtts", "ws" or "wss"' }),
    ),
    path: Type.Optional(
      Type.String({
        pattern: '^/[^\\s\\p{Cc}#]{0,255}$',
        description: 'the path of the WebSocket, like "/mqtt"',
      }),
    ),
    version: Type.Optional(
      Type.Enum(['auto', '5', '3.1.1'], { description: 'a version of MQTT: "auto", "5" or "3.1.1"' }),
    ),
    username: Type.Optional(text('the user name at the broker')),
    password: Type.Optional(text('the password at the broker')),
    ca: Type.Optional(folder),
    cert: Type.Optional(folder),
    key: Type.Optional(folder),
    client_id: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]{1,64}$',
        description: '1 to 64 letters, digits, hyphens, dots and underscores',
      }),
    ),
    prefix: Type.Optional(topic),
    message_expiry: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 4_294_967_295, description: 'a number of seconds, at least 1' }),
    ),
    off_delay: Type.Optional(
      Type.Number({ minimum: 0.5, maximum: 3600, description: 'a number of seconds, 0.5 to 3600' }),
    ),
    states: Type.Optional(flag),
    commands: Type.Optional(flag),
    home_assistant: Type.Optional(flag),
    discovery_prefix: Type.Optional(topic),
    frigate: Type.Optional(flag),
  },
  strict,
);

export const ConfigFile = Type.Object(
  {
    port: Type.Optional(port),
    host: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9.:_-]{1,253}$', description: 'an address to listen on' }),
    ),
    storage_dir: Type.Optional(folder),
    config_dir: Type.Optional(folder),
    media_dir: Type.Optional(folder),
    plugin_dir: Type.Optional(Type.Unknown()),
    max_disk_usage: Type.Optional(
      Type.Number({ minimum: 0.001, maximum: 1e6, description: 'a number of gigabytes, at least 0.001' }),
    ),
    monitors_per_process: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 16, description: 'a number of monitors, 1 to 16' }),
    ),
    debug_log_stdout: Type.Optional(flag),
    trusted_proxies: Type.Optional(
      Type.Array(proxy, { maxItems: 64, description: 'a list of addresses and networks of proxies' }),
    ),
    base_path: Type.Optional(
      Type.String({
        // Not a path of the recorder's own, which could no longer be told from it.
        pattern:
          '^(?!/(api|assets|live|login|logs|recordings|settings|welcome)(/|$))(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$',
        maxLength: 128,
        description: 'a path like "/nvr", without a slash at its end, that is none of the recorder\'s own',
      }),
    ),
    plugin: Type.Optional(
      Type.Array(
        // `config.ts` validates the other keys, which depend on the name.
        Type.Object({ name, enable: flag }, { description: 'a table with name and enable' }),
        { maxItems: 32, description: '[[plugin]] entries with name and enable' },
      ),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(
            Type.Enum(['self-signed', 'files', 'off'], { description: '"self-signed", "files" or "off"' }),
          ),
          cert: Type.Optional(folder),
          key: Type.Optional(folder),
        },
        { ...strict, description: 'a table [tls]' },
      ),
    ),
    bus: Type.Optional(
      Type.Object(
        {
          servers: Type.Optional(
            Type.Array(
              Type.String({
                pattern: '^((nats|tls)://)?[A-Za-z0-9._:\\[\\]-]{1,253}$',
                description: 'addresses of NATS servers, like "nats://192.0.2.1:4222"',
              }),
              { maxItems: 64, description: 'a list of NATS servers' },
            ),
          ),
          token: Type.Optional(text('the token of the NATS servers')),
          username: Type.Optional(text('the user name at the NATS servers')),
          password: Type.Optional(text('the password at the NATS servers')),
          credentials: Type.Optional(folder),
        },
        { ...strict, description: 'a table [bus]' },
      ),
    ),
    cluster: Type.Optional(
      Type.Object(
        {
          machines: Type.Optional(
            Type.Array(machine, { maxItems: 8, description: 'a list of 2 to 8 machines' }),
          ),
          secret: Type.Optional(
            Type.String({
              pattern: '^[A-Za-z0-9]{43}$',
              description: 'what `npm start -- --new-cluster` prints',
            }),
          ),
          name: Type.Optional(machine),
          capacity: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 1000, description: 'a number of monitors, 1 to 1000' }),
          ),
          without_quorum: Type.Optional(Type.Enum(['record', 'wait'], { description: '"record" or "wait"' })),
          port: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 65532, description: 'a port, 1 to 65532' }),
          ),
        },
        { ...strict, description: 'a table [cluster]' },
      ),
    ),
    logs: Type.Optional(
      Type.Object(
        {
          max_age_days: Type.Optional(
            Type.Number({ minimum: 0.01, maximum: 36500, description: 'a number of days, at least 0.01' }),
          ),
          max_size_megabytes: Type.Optional(
            Type.Number({ minimum: 10, maximum: 1e6, description: 'a number of megabytes, at least 10' }),
          ),
          repeat_limit: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 1e6, description: 'a number of entries, 0 for all' }),
          ),
        },
        { ...strict, description: 'a table [logs]' },
      ),
    ),
  },
  strict,
);
export type ConfigFile = Static<typeof ConfigFile>;
export type MqttEntry = Static<typeof MqttEntry>;
