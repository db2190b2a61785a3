import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { type Child, startChild } from './child.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import type { Host } from './lab.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

export interface BrokerOptions {
  /** A free one by default. Another one is for a broker that comes back. */
  readonly port?: number;
  /** Without it everybody may come in. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Others who may come in. */
  readonly others?: readonly { readonly username: string; readonly password: string }[];
  /** The text of an ACL file. */
  readonly acl?: string;
  /** Keeps what is retained on the disk, as of its last write: after `kill` it may have an older state. */
  readonly isPersistent?: boolean;
  /** Lines of the configuration of its listener: certificates, for example. */
  readonly listener?: readonly string[];
  /** How the tests' own clients connect; by default in plain MQTT on 127.0.0.1. */
  readonly connection?: mqtt.IClientOptions;
  /** The address that it listens on; 127.0.0.1 by default. */
  readonly address?: string;
  /** Where it has a network of its own, and listens; the tests' own clients reach it nevertheless. */
  readonly place?: Host;
}

export interface Broker extends Pick<Child, 'pid' | 'kill' | 'stop' | 'line'> {
  readonly port: number;
  /**
   * Reads what is published on these topics (`#` and `+` work) from now on, retained messages first. With `rap` and MQTT 5,
   * new messages say whether they are retained as well.
   */
  subscribe(topic: string, options?: { rap?: boolean }): Promise<Subscriber>;
  /** Calls `listener` with each payload as it comes. */
  listen(topic: string, listener: (payload: string) => void): Promise<void>;
  publish(topic: string, payload: string, options?: { retain?: boolean }): Promise<void>;
  /** All retained messages, by topic. */
  retained(): Promise<Map<string, string>>;
  /** The same broker on the same port, after `kill` or `stop`. It has forgotten everything, unless it is persistent. */
  restart(): Promise<Broker>;
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Seconds for which the broker would have kept it; only with MQTT 5. */
  readonly expiryS?: number;
}

export interface Subscriber {
  /** All that came, oldest first. */
  readonly messages: readonly Message[];
  /** Waits for a message, old or new, that this is true of. */
  message(wanted: (message: Message) => boolean, timeout?: number): Promise<Message>;
}

/** Starts a real mosquitto on 127.0.0.1. It is gone when the test is over. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  return startIn(await temporaryFolder(), { ...options, port: options.port ?? (await freePort()) });
}

async function startIn(folder: string, options: BrokerOptions & { readonly port: number }): Promise<Broker> {
  const { port, login, acl, isPersistent, listener = [], place } = options;
  const { address = place?.address ?? '127.0.0.1' } = options;
  const settings = [`listener ${port} ${address}`, ...listener, `allow_anonymous ${login === undefined}`];
  // Or it would become another user, who may not read this folder.
  if (process.getuid?.() === 0) settings.push('user root');
  if (login) {
    const file = join(folder, 'passwords');
    await writeFile(file, '');
    for (const { username, password } of [login, ...(options.others ?? [])]) {
      await promisify(execFile)('mosquitto_passwd', ['-b', file, username, password]);
    }
    settings.push(`password_file ${file}`);
  }
  if (acl !== undefined) {
    await writeFile(join(folder, 'acl'), acl);
    settings.push(`acl_file ${join(folder, 'acl')}`);
  }
  if (isPersistent) {
    settings.push('persistence true', `persistence_location ${folder}/`);
    settings.push('autosave_on_changes true', 'autosave_interval 20');
  }
  await writeFile(join(folder, 'mosquitto.conf'), `${settings.join('\n')}\n`);
  const program = ['mosquitto', '-c', join(folder, 'mosquitto.conf')];
  const [command = '', ...args] = [...(place?.command ?? []), ...program];
  const child = startChild(command, args);
  await child.line(/mosquitto version .* running/);
  const reached = place && Number(new URL(await place.reach(`mqtt://${address}:${port}`)).port);

  const connect = async () => {
    const client = await mqtt.connectAsync({
      ...{ host: '127.0.0.1', port: reached ?? port, reconnectPeriod: 100, ...login },
      ...options.connection,
    });
    atEnd(() => client.endAsync(true));
    return client;
  };
  return {
    pid: child.pid,
    port,
    kill: child.kill,
    stop: child.stop,
    line: child.line,
    restart: () => startIn(folder, options),
    async retained() {
      const client = await connect();
      const found = new Map<string, string>();
      const end = `end/${randomUUID()}`;
      await new Promise<void>((resolve, reject) => {
        client.on('message', (topic, payload, { retain }) => {
          if (retain) found.set(topic, payload.toString());
          if (topic === end) resolve();
        });
        // What is retained comes before what is published after the subscription.
        client
          .subscribeAsync('#', { qos: 1 })
          .then(() => client.publishAsync(end, '', { qos: 1 }))
          .catch(reject);
      });
      await client.endAsync(true);
      return found;
    },
    async listen(topic, listener) {
      const client = await connect();
      client.on('message', (_, payload) => listener(payload.toString()));
      await client.subscribeAsync(topic, { qos: 1 });
    },
    async publish(topic, payload, { retain = false } = {}) {
      const client = await connect();
      await client.publishAsync(topic, payload, { qos: 1, retain });
    },
    async subscribe(topic, { rap = false } = {}) {
      const client = await connect();
      const messages: Message[] = [];
      client.on('message', (name, payload, { qos, retain, properties }) => {
        const expiryS = properties?.messageExpiryInterval;
        const message = { topic: name, payload: payload.toString(), qos, retain };
        messages.push({ ...message, ...(expiryS !== undefined && { expiryS }) });
      });
      await client.subscribeAsync(topic, { qos: 1, rap });
      return {
        messages,
        message: (wanted, timeout = 15_000) =>
          waitFor(() => messages.find(wanted), timeout, `a message on ${topic}`),
      };
    },
  };
}
