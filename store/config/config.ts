import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { writeAtomically } from '../../bus/base/files.ts';
import { readTextFile, TextFileError } from '../base/text-file.ts';
import { compileValidator, type ValidationIssue } from '../base/validator.ts';
import type { DetectorSection } from '../detectors/detector-section.ts';
import { type ClusterConfig, readCluster } from './cluster-config.ts';
import { ConfigError } from './config-error.ts';
import { ConfigFile, MqttEntry, PluginEntry } from './config-schema.ts';
import { defaultConfig } from './default-config.ts';
import { type MqttConfig, readMqtt } from './mqtt-config.ts';

export { ConfigError } from './config-error.ts';

export interface Config {
  /** Absolute path of the configuration file. */
  file: string;
  host: string;
  /** 0: any free port. */
  port: number;
  /** Folders are absolute; they need not exist yet. */
  storageDir: string;
  configDir: string;
  mediaDir: string;
  /** Bytes. */
  maxDiskUsage: number;
  /** How many cameras may be recorded by one process. */
  monitorsPerProcess: number;
  debugLogStdout: boolean;
  auth: 'basic' | 'none';
  /** Addresses and networks of the reverse proxies in front. */
  trustedProxies: readonly string[];
  /** Below which a reverse proxy serves the recorder, `/nvr` for example; empty: at the root of its host. */
  basePath: string;
  /** The names of the detectors that may run at all. */
  detectors: readonly string[];
  /** Only if the plugin is enabled. */
  mqtt?: MqttConfig;
  tls: { mode: 'self-signed' } | { mode: 'files'; cert: string; key: string } | { mode: 'off' };
  bus: {
    /** Empty: the embedded server. */
    servers: readonly string[];
    token?: string;
    username?: string;
    password?: string;
    /** The text of the credentials file. */
    credentials?: string;
  };
  /** Only if it is one of several machines. */
  cluster?: ClusterConfig;
  logs: {
    maxAgeDays: number;
    maxSizeMegabytes: number;
    /** Equal log entries per minute that are written in full; the others are counted. 0: all are written. */
    repeatLimit: number;
  };
  /** A warning for each key that has no effect. */
  warnings: readonly string[];
}

const checkFile = compileValidator(ConfigFile);
const checkPlugin = compileValidator(PluginEntry);
const checkMqtt = compileValidator(MqttEntry);

/**
 * Reads and validates the configuration. If the file is missing and `create` is set, writes the defaults first.
 *
 * @param options.detectors each is a plugin of its name.
 * @returns `created` is true if the file has just been written.
 * @throws {ConfigError}
 */
export async function loadConfig(
  path: string,
  { create, detectors }: { create: boolean; detectors: readonly DetectorSection[] },
): Promise<{ config: Config; created: boolean }> {
  const file = resolve(path);
  let text: string;
  let created = false;
  try {
    text = await readTextFile(file);
  } catch (cause) {
    if (cause instanceof TextFileError) throw new ConfigError(`${file}: ${cause.message}`, { cause });
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !create) throw new ConfigError(`${file}: there is no such file`, { cause });
    if (!missing) throw new ConfigError(`${file}: expected a file that can be read`, { cause });
    text = defaultConfig(process.cwd(), dirname(file), detectors);
    created = true;
    try {
      await writeAtomically(file, text);
    } catch (cause) {
      throw new ConfigError(`${file}: expected a folder that can be written to`, { cause });
    }
  }
  return { config: await build(file, readToml(file, text), detectors), created };
}

/**
 * Reads what a machine that only votes needs of the configuration.
 *
 * @throws {ConfigError}
 */
export async function loadClusterConfig(
  path: string,
): Promise<Pick<Config, 'file' | 'cluster' | 'storageDir'>> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (cause) {
    throw new ConfigError(`${file}: expected a file that can be read`, { cause });
  }
  const toml = readToml(file, text);
  const cluster = readCluster(file, toml);
  return { file, ...(cluster && { cluster }), storageDir: storageFolder(toml) };
}

const storageFolder = (toml: ConfigFile) => resolve(toml.storage_dir ?? join(process.cwd(), 'storage'));

function readToml(file: string, text: string): ConfigFile {
  let table: unknown;
  try {
    table = parse(text);
  } catch (cause) {
    const { message, line, column } = cause as { message: string; line?: number; column?: number };
    // Only the first line of the message: the other lines quote the file, passwords included.
    const reason = message.split('\n', 1)[0]?.replace('Invalid TOML document: ', '');
    throw new ConfigError(`${file}: line ${line}, column ${column}: expected TOML, found ${reason}`, {
      cause,
    });
  }
  const flaw = checkFile(table);
  if (flaw) throw fault(file, '', flaw, ConfigFile.properties);
  return table as ConfigFile;
}

async function build(file: string, toml: ConfigFile, detectors: readonly DetectorSection[]): Promise<Config> {
  const storageDir = storageFolder(toml);
  const plugins = readPlugins(file, toml, detectors);
  const mqtt = plugins.enabled.get('mqtt');
  const cluster = readCluster(file, toml);
  const warnings = [...plugins.warnings];
  if (toml.plugin_dir !== undefined) {
    warnings.push(`${file}: plugin_dir: ignored, plugins are part of the program`);
  }
  return {
    file,
    host: toml.host ?? '0.0.0.0',
    port: toml.port ?? 2020,
    storageDir,
    configDir: resolve(toml.config_dir ?? dirname(file)),
    mediaDir: resolve(toml.media_dir ?? join(storageDir, 'media')),
    maxDiskUsage: Math.floor((toml.max_disk_usage ?? 100) * 1e9),
    monitorsPerProcess: toml.monitors_per_process ?? 4,
    debugLogStdout: toml.debug_log_stdout ?? false,
    auth: plugins.enabled.has('auth_none') ? 'none' : 'basic',
    trustedProxies: readProxies(file, toml.trusted_proxies),
    basePath: toml.base_path ?? '',
    detectors: detectors.map(({ name }) => name).filter((name) => plugins.enabled.has(name)),
    ...(mqtt ? { mqtt: await readMqtt(file, mqtt as MqttEntry) } : {}),
    tls: readTls(file, toml.tls),
    bus: await readBus(file, toml.bus),
    ...(cluster ? { cluster } : {}),
    logs: {
      maxAgeDays: toml.logs?.max_age_days ?? 30,
      maxSizeMegabytes: toml.logs?.max_size_megabytes ?? 500,
      repeatLimit: toml.logs?.repeat_limit ?? 5,
    },
    warnings,
  };
}

function readPlugins(file: string, toml: ConfigFile, detectors: readonly DetectorSection[]) {
  const seen = new Set<string>();
  const enabled = new Map<string, unknown>();
  const warnings: string[] = [];
  const names = ['auth_basic', 'auth_none', ...detectors.map(({ name }) => name), 'thumb_scale', 'mqtt'];
  for (const [index, entry] of (toml.plugin ?? []).entries()) {
    const name = detectors.find(({ aliases }) => aliases?.includes(entry.name))?.name ?? entry.name;
    if (!names.includes(name)) {
      throw new ConfigError(`${file}: plugin.${index}.name: expected one of ${names.join(', ')}`);
    }
    const flaw = (entry.name === 'mqtt' ? checkMqtt : checkPlugin)(entry);
    const known = entry.name === 'mqtt' ? MqttEntry.properties : PluginEntry.properties;
    if (flaw) throw fault(file, `plugin.${entry.name}.`, flaw, known);
    if (name !== entry.name) warnings.push(`${file}: plugin.${entry.name}: used as ${name}, its name here`);
    if (seen.has(name)) throw new ConfigError(`${file}: plugin.${name}: expected only one such entry`);
    seen.add(name);
    if (entry.enable) enabled.set(name, entry);
    if (entry.enable && name === 'thumb_scale') {
      warnings.push(`${file}: plugin.thumb_scale: ignored, there are no thumbnails`);
    }
  }
  if (enabled.has('auth_basic') && enabled.has('auth_none')) {
    throw new ConfigError(`${file}: plugin: expected only one of auth_basic and auth_none to be enabled`);
  }
  if (!enabled.has('auth_basic') && !enabled.has('auth_none')) {
    throw new ConfigError(
      `${file}: plugin: expected auth_basic or auth_none to be enabled; to ask for passwords, add [[plugin]] with name = "auth_basic" and enable = true`,
    );
  }
  return { enabled, warnings };
}

function readProxies(file: string, proxies: readonly string[] = []): readonly string[] {
  for (const [index, proxy] of proxies.entries()) {
    const [address = '', bits] = proxy.split('/');
    const maxBits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    if (Number(bits ?? 1) > maxBits || bits === '0') {
      throw new ConfigError(`${file}: trusted_proxies.${index}: expected an address or network`);
    }
  }
  return proxies;
}

function readTls(file: string, tls: ConfigFile['tls']): Config['tls'] {
  const mode = tls?.mode ?? 'self-signed';
  if (mode !== 'files') return { mode };
  if (tls?.cert === undefined) throw new ConfigError(`${file}: tls.cert: expected the path of a certificate`);
  if (tls.key === undefined) throw new ConfigError(`${file}: tls.key: expected the path of a private key`);
  return { mode, cert: tls.cert, key: tls.key };
}

async function readBus(file: string, bus: ConfigFile['bus']): Promise<Config['bus']> {
  const { servers = [], token, username, password, credentials } = bus ?? {};
  let text: string | undefined;
  if (credentials !== undefined) {
    try {
      text = await readFile(credentials, 'utf8');
    } catch (cause) {
      throw new ConfigError(`${file}: bus.credentials: expected a file that can be read`, { cause });
    }
  }
  return {
    servers,
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(text === undefined ? {} : { credentials: text }),
  };
}

/** Turns a pointer `/plugin/0/enable` into the key `plugin.0.enable`; lists the known keys for an unknown one. */
function fault(
  file: string,
  prefix: string,
  flaw: ValidationIssue,
  known: Record<string, unknown>,
): ConfigError {
  // A quoted TOML key may contain control characters; they are replaced to keep the message one line.
  const key =
    prefix +
    flaw.pointer
      .slice(1)
      .replaceAll('/', '.')
      .replace(/\p{Cc}/gu, '?')
      .slice(0, 100);
  const nested = flaw.pointer.split('/').length > 2;
  const problem = flaw.unknown
    ? `unknown key${nested ? '' : `; expected one of ${Object.keys(known).join(', ')}`}`
    : `expected ${flaw.expected}`;
  return new ConfigError(`${file}: ${key}: ${problem}`);
}
