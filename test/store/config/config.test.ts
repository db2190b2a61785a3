import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { detectors } from '../../../actors/detectors/host/detector-list.ts';
import { type Config, ConfigError, loadConfig } from '../../../store/config/config.ts';
import { ConfigFile, MqttEntry } from '../../../store/config/config-schema.ts';
import { temporaryFolder } from '../../support/folder.ts';

const basic = '\n[[plugin]]\nname = "auth_basic"\nenable = true\n';

async function load(text: string): Promise<Config> {
  const file = join(await temporaryFolder(), 'sentryshot.toml');
  await writeFile(file, text);
  const { config, created } = await loadConfig(file, { create: true, detectors });
  expect(created).toBe(false);
  return config;
}

async function refusal(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'sentryshot.toml');
  await writeFile(file, text);
  const error = await loadConfig(file, { create: true, detectors }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = error as ConfigError;
  expect(message).not.toMatch(/\n/);
  expect(message.startsWith(`${file}: `)).toBe(true);
  return message.slice(file.length + 2);
}

test('the first start writes a file where every key stands and is explained', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'configs', 'sentryshot.toml');
  const { config, created } = await loadConfig(file, { create: true, detectors });
  expect(created).toBe(true);
  expect(config).toEqual({
    file,
    host: '0.0.0.0',
    port: 2020,
    storageDir: join(process.cwd(), 'storage'),
    configDir: join(folder, 'configs'),
    mediaDir: join(process.cwd(), 'storage', 'media'),
    maxDiskUsage: 100e9,
    monitorsPerProcess: 4,
    debugLogStdout: false,
    auth: 'basic',
    trustedProxies: [],
    basePath: '',
    detectors: ['motion', 'tflite'],
    tls: { mode: 'self-signed' },
    bus: { servers: [] },
    logs: { maxAgeDays: 30, maxSizeMegabytes: 500, repeatLimit: 5 },
    warnings: [],
  });
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await loadConfig(file, { create: true, detectors })).toEqual({ config, created: false });

  const lines = (await readFile(file, 'utf8')).split('\n');
  const { plugin_dir: _ours, plugin: _table, tls, bus, cluster, logs, ...top } = ConfigFile.properties;
  const tables = [tls, bus, cluster, logs].flatMap((table) => Object.keys(table.properties));
  for (const key of [...Object.keys(top), ...tables, ...Object.keys(MqttEntry.properties)]) {
    const at = lines.findIndex((line) => new RegExp(`^#?${key} = `).test(line));
    expect(at, key).toBeGreaterThan(0);
    // Its own comment or table, or that of the group of keys that it stands in.
    const start = lines.lastIndexOf('', at) + 1;
    expect(
      lines.slice(Math.max(0, start), at).some((line) => line.startsWith('# ')),
      key,
    ).toBe(true);
  }
  // What is commented out is a valid setting too, once it is filled in.
  const filled = lines
    .map((line) => line.replace(/^#(\w+ = )/, '$1').replace('= ""', '= "x"'))
    .filter((line) => !/^(credentials|secret) /.test(line));
  expect((await load(filled.join('\n'))).tls).toEqual({ mode: 'self-signed' });
});

test("SentryShot's own file loads unchanged; what means nothing here gives a warning", async () => {
  const config = await load(`
# Port app will be served on.
port = 2020

# Directory where recordings will be stored.
storage_dir = "/home/user/storage"

# Directory where configs will be stored.
config_dir = "/home/user/configs"

# Directory where the plugins are located.
plugin_dir = "/home/user/plugins"

# Maximum allowed storage space in GigaBytes.
max_disk_usage = 0.5

[[plugin]]
name = "auth_basic"
enable = false

[[plugin]]
name = "auth_none"
enable = true

[[plugin]]
name = "motion"
enable = true

[[plugin]]
name = "object_detection"
enable = true

[[plugin]]
name = "thumb_scale"
enable = true

[[plugin]]
name = "mqtt"
enable = true
host = "127.0.0.1"
port = 1883
#username = ""
#password = ""
`);
  expect(config).toMatchObject({
    port: 2020,
    storageDir: '/home/user/storage',
    configDir: '/home/user/configs',
    mediaDir: '/home/user/storage/media',
    maxDiskUsage: 5e8,
    auth: 'none',
    detectors: ['motion', 'tflite'],
    mqtt: { host: '127.0.0.1', port: 1883 },
  });
  expect(config.warnings).toEqual([
    `${config.file}: plugin.object_detection: used as tflite, its name here`,
    `${config.file}: plugin.thumb_scale: ignored, there are no thumbnails`,
    `${config.file}: plugin_dir: ignored, plugins are part of the program`,
  ]);
});

test('an mqtt entry counts only when it is enabled', async () => {
  const entry = (enable: boolean) =>
    `${basic}[[plugin]]\nname = "mqtt"\nenable = ${enable}\nusername = "u"\npassword = "p"\n`;
  expect((await load(entry(false))).mqtt).toBeUndefined();
  expect((await load(entry(true))).mqtt).toEqual({
    host: '127.0.0.1',
    port: 1883,
    username: 'u',
    password: 'p',
  });
});

test("a broker's certificate may be of an authority of the system, or of the one that is named alone", async () => {
  const folder = await temporaryFolder();
  const [system, own] = [join(folder, 'system.pem'), join(folder, 'own.pem')];
  await writeFile(system, '-----BEGIN CERTIFICATE-----\nsystem');
  await writeFile(own, '-----BEGIN CERTIFICATE-----\nown');
  const mqtt = async (lines: string) =>
    (await load(`${basic}[[plugin]]\nname = "mqtt"\nenable = true\n${lines}`)).mqtt;
  vi.stubEnv('SSL_CERT_FILE', system);
  expect((await mqtt('protocol = "mqtts"'))?.ca).toContain('system');
  expect((await mqtt(`protocol = "mqtts"\nca = "${own}"`))?.ca).toBe('-----BEGIN CERTIFICATE-----\nown');
  expect((await mqtt(''))?.ca).toBeUndefined();
  vi.unstubAllEnvs();
});

test('tls and bus are read with what belongs to them', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'nats.creds'), 'the text');
  const config = await load(`${basic}
[tls]
mode = "files"
cert = "/c.pem"
key = "/k.pem"
[bus]
servers = ["nats://127.0.0.1:4222", "tls://[::1]:4222", "127.0.0.2:1"]
token = "t"
credentials = "${folder}/nats.creds"
`);
  expect(config.tls).toEqual({ mode: 'files', cert: '/c.pem', key: '/k.pem' });
  expect(config.bus).toEqual({
    servers: ['nats://127.0.0.1:4222', 'tls://[::1]:4222', '127.0.0.2:1'],
    token: 't',
    credentials: 'the text',
  });
});

const machines = 'machines = ["nvr1", "10.0.0.2"]';
const secret = `secret = "${'s'.repeat(43)}"`;

test('a cluster has machines, a secret, and what is usual', async () => {
  const { cluster } = await load(`${basic}[cluster]\n${machines}\n${secret}\nname = "10.0.0.2"`);
  expect(cluster).toEqual({
    ...{ machines: ['nvr1', '10.0.0.2'], secret: 's'.repeat(43), name: '10.0.0.2' },
    ...{ capacity: 16, withoutQuorum: 'record', port: 6222 },
  });
  expect(await load(`${basic}[cluster]\nmachines = []`)).not.toHaveProperty('cluster');
});

const basePath =
  'base_path: expected a path like "/nvr", without a slash at its end, that is none of the recorder\'s own';

test.each([
  ['port = "2020"', 'port: expected a port, 0 to 65535 (0: any free one)'],
  ['port = 65536', 'port: expected a port, 0 to 65535 (0: any free one)'],
  ['port = 1.5', 'port: expected a port, 0 to 65535 (0: any free one)'],
  ['base_path = "nvr"', basePath],
  ['base_path = "/nvr/"', basePath],
  ['base_path = "/api"', basePath],
  ['base_path = "/a/../b"', basePath],
  ['max_disk_usage = 0', 'max_disk_usage: expected a number of gigabytes, at least 0.001'],
  ['max_disk_usage = nan', 'max_disk_usage: expected a number of gigabytes, at least 0.001'],
  ['max_disk_usage = 2020-01-01', 'max_disk_usage: expected a number of gigabytes, at least 0.001'],
  ['storage_dir = "storage"', 'storage_dir: expected an absolute path'],
  ['monitors_per_process = 0', 'monitors_per_process: expected a number of monitors, 1 to 16'],
  ['debug_log_stdout = "yes"', 'debug_log_stdout: expected true or false'],
  ['host = "a b"', 'host: expected an address to listen on'],
  ['prot = 1', /^prot: unknown key; expected one of port, host, storage_dir, /],
  ['"a\\nb" = 1', /^a\?b: unknown key/],
  ['__proto__ = 1', /^__proto__: unknown key/],
  ['tls = 1', 'tls: expected a table [tls]'],
  ['[tls]\nmode = "on"', 'tls.mode: expected "self-signed", "files" or "off"'],
  ['[tls]\nmode = "files"', 'tls.cert: expected the path of a certificate'],
  ['[tls]\nmode = "files"\ncert = "/c"', 'tls.key: expected the path of a private key'],
  ['[tls]\nfoo = 1', 'tls.foo: unknown key'],
  ['[bus]\nservers = "x"', 'bus.servers: expected a list of NATS servers'],
  [
    '[bus]\nservers = ["http://x"]',
    'bus.servers.0: expected addresses of NATS servers, like "nats://192.0.2.1:4222"',
  ],
  ['[bus]\ncredentials = "/nowhere"', 'bus.credentials: expected a file that can be read'],
  [
    `[cluster]\n${machines}\n${secret}`,
    /^cluster.name: expected one of nvr1, 10.0.0.2; this machine is called /,
  ],
  [`[cluster]\n${machines}\n${secret}\nname = "nvr3"`, 'cluster.name: expected one of nvr1, 10.0.0.2'],
  [`[cluster]\n${machines}`, 'cluster.secret: expected what `npm start -- --new-cluster` prints'],
  ['[cluster]\nsecret = "short"', 'cluster.secret: expected what `npm start -- --new-cluster` prints'],
  [
    `[cluster]\nmachines = ["nvr1"]\n${secret}`,
    'cluster.machines: expected 2 to 8 different names or addresses of machines',
  ],
  ['[cluster]\nmachines = ["a b"]', 'cluster.machines.0: expected the name or address of a machine'],
  ['[cluster]\nwithout_quorum = "stop"', 'cluster.without_quorum: expected "record" or "wait"'],
  [
    `[cluster]\n${machines}\n${secret}\n[bus]\nservers = ["10.0.0.1"]`,
    'cluster: expected only one of machines in [cluster] and servers in [bus]',
  ],
  ['[logs]\nmax_age_days = 0', 'logs.max_age_days: expected a number of days, at least 0.01'],
  ['[[plugin]]\nname = "motion"', 'plugin.1.enable: expected true or false'],
  [
    '[[plugin]]\nname = "yolo"\nenable = true',
    'plugin.1.name: expected one of auth_basic, auth_none, motion, tflite, thumb_scale, mqtt',
  ],
  [
    '[[plugin]]\nname = "motion"\nenable = true\nhost = "x"',
    'plugin.motion.host: unknown key; expected one of name, enable',
  ],
  ['[[plugin]]\nname = "mqtt"\nenable = true\nport = 0', 'plugin.mqtt.port: expected a port, 1 to 65535'],
  [
    '[[plugin]]\nname = "mqtt"\nenable = true\npassword = "p"',
    'plugin.mqtt.username: expected together with a password',
  ],
  [
    '[[plugin]]\nname = "motion"\nenable = true\n[[plugin]]\nname = "motion"\nenable = true',
    'plugin.motion: expected only one such entry',
  ],
  [
    '[[plugin]]\nname = "auth_none"\nenable = true',
    'plugin: expected only one of auth_basic and auth_none to be enabled',
  ],
  ['port = ', /^line 1, column \d+: expected TOML, found /],
  ['a = 1\na = 2', /^line 2, column \d+: expected TOML, found /],
])('%j stops the start with one line', async (text, expected) => {
  const [top, tables] = text.startsWith('[') ? ['', text] : [text, ''];
  const line = await refusal(`${top}\n${basic}\n${tables}`);
  if (typeof expected === 'string') expect(line).toBe(expected);
  else expect(line).toMatch(expected);
});

test('without an auth plugin the line says what to add', async () => {
  expect(await refusal('[plugin]')).toBe('plugin: expected [[plugin]] entries with name and enable');
  expect(await refusal('port = 1')).toMatch(
    /^plugin: expected auth_basic or auth_none .* name = "auth_basic"/,
  );
});

test('a broken file is described without what stands in it', async () => {
  expect(await refusal('password = "hunter2\n')).not.toContain('hunter2');
});

test('a file that cannot be read or made stops the start with one line too', async () => {
  const folder = await temporaryFolder();
  const missing = join(folder, 'missing.toml');
  await expect(loadConfig(missing, { create: false, detectors })).rejects.toThrow(
    `${missing}: there is no such file`,
  );
  expect(existsSync(missing)).toBe(false);
  await expect(loadConfig(folder, { create: true, detectors })).rejects.toThrow(
    `${folder}: expected a file that can be read`,
  );
  await expect(loadConfig('/dev/null/x.toml', { create: true, detectors })).rejects.toThrow(
    '/dev/null/x.toml: expected a file',
  );
});

test('whatever stands in the file, it loads or is refused with one line', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'any.toml');
  const key = fc.oneof(fc.constantFrom(...Object.keys(ConfigFile.properties)), fc.string());
  const value = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.constant([]),
    fc.constant({}),
  );
  const line = fc.tuple(key, value).map(([k, v]) => `${JSON.stringify(k)} = ${JSON.stringify(v)}`);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.array(line, { maxLength: 4 }).map((all) => all.join('\n')),
        fc.string(),
      ),
      async (text) => {
        await writeFile(file, `${text}\n${basic}`);
        const message = await loadConfig(file, { create: true, detectors }).then(
          () => '',
          (error: unknown) => {
            expect(error).toBeInstanceOf(ConfigError);
            return (error as ConfigError).message;
          },
        );
        expect(message).not.toContain('\n');
      },
    ),
    { numRuns: 300 },
  );
});
