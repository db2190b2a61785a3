import { readFile } from 'node:fs/promises';
import { ConfigError } from './config-error.ts';
import type { MqttEntry } from './config-schema.ts';
import { systemAuthorities } from './system-authorities.ts';

/** The settings of the plugin `mqtt`. What is absent has the bridge's usual value. */
export interface MqttConfig {
  host: string;
  port: number;
  protocol?: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  path?: string;
  version?: 'auto' | '5' | '3.1.1';
  username?: string;
  password?: string;
  /** The texts of the files, PEM. */
  ca?: string;
  cert?: string;
  key?: string;
  clientId?: string;
  prefix?: string;
  messageExpiryS?: number;
  offDelayMs?: number;
  hasStates?: boolean;
  hasCommands?: boolean;
  hasHomeAssistant?: boolean;
  discoveryPrefix?: string;
  hasFrigate?: boolean;
}

const usualPorts = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

/** @throws {ConfigError} */
export async function readMqtt(file: string, entry: MqttEntry): Promise<MqttConfig> {
  const { host = '127.0.0.1', protocol, username, password, ca, cert, key } = entry;
  const wrong = (name: string, expected: string) =>
    new ConfigError(`${file}: plugin.mqtt.${name}: expected ${expected}`);
  if (password !== undefined && username === undefined) {
    throw wrong('username', 'together with a password');
  }
  const isSecure = protocol === 'mqtts' || protocol === 'wss';
  const needsTls = (['ca', 'cert', 'key'] as const).find((name) => entry[name] !== undefined);
  if (needsTls && !isSecure) throw wrong(needsTls, 'protocol = "mqtts" or "wss" with it');
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(cert === undefined ? 'cert' : 'key', 'cert and key together');
  }
  const read = async (name: 'ca' | 'cert' | 'key', path: string) =>
    readFile(path, 'utf8').catch((cause: unknown) => {
      throw new ConfigError(`${file}: plugin.mqtt.${name}: expected a file that can be read`, { cause });
    });
  const authorities =
    ca !== undefined ? await read('ca', ca) : isSecure ? await systemAuthorities() : undefined;
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: entry.port ?? usualPorts[protocol ?? 'mqtt'],
    ...(protocol !== undefined && { protocol }),
    ...(entry.path !== undefined && { path: entry.path }),
    ...(entry.version !== undefined && { version: entry.version }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(authorities !== undefined && { ca: authorities }),
    ...(cert !== undefined && { cert: await read('cert', cert) }),
    ...(key !== undefined && { key: await read('key', key) }),
    ...(entry.client_id !== undefined && { clientId: entry.client_id }),
    ...(entry.prefix !== undefined && { prefix: entry.prefix }),
    ...(entry.message_expiry !== undefined && { messageExpiryS: entry.message_expiry }),
    ...(entry.off_delay !== undefined && { offDelayMs: entry.off_delay * 1000 }),
    ...(entry.states !== undefined && { hasStates: entry.states }),
    ...(entry.commands !== undefined && { hasCommands: entry.commands }),
    ...(entry.home_assistant !== undefined && { hasHomeAssistant: entry.home_assistant }),
    ...(entry.discovery_prefix !== undefined && { discoveryPrefix: entry.discovery_prefix }),
    ...(entry.frigate !== undefined && { hasFrigate: entry.frigate }),
  };
}
