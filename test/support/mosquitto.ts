import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { type Child, startChild } from './child.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { waitFor } from './wait.ts';

export interface BrokerOptions {
  /** A free one by default. Another one is for a broker that comes back. */
  readonly port?: number;
  /** Without it everybody may come in. */
  readonly login?: { readonly username: string; readonly password: string };
}

export interface Broker extends Pick<Child, 'pid' | 'kill' | 'stop'> {
  readonly port: number;
  /** Reads what is published on these topics (`#` and `+` work) from now on, retained messages first. */
  subscribe(topic: string): Promise<Subscriber>;
  publish(topic: string, payload: string, options?: { retain?: boolean }): Promise<void>;
  /** The same broker on the same port, after `kill` or `stop`. It has forgotten everything. */
  restart(): Promise<Broker>;
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

export interface Subscriber {
  /** All that came, oldest first. */
  readonly messages: readonly Message[];
  /** Waits for a message, old or new, that this is true of. */
  message(wanted: (message: Message) => boolean, timeout?: number): Promise<Message>;
}

/** Starts a real mosquitto on 127.0.0.1. It is gone when the test is over. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { port = await freePort(), login } = options;
  const folder = await temporaryFolder();
  const settings = [`listener ${port} 127.0.0.1`, `allow_anonymous ${login === undefined}`];
  // Or it would become another user, who may not read this folder.
  if (process.getuid?.() === 0) settings.push('user root');
  if (login) {
    const file = join(folder, 'passwords');
    await promisify(execFile)('mosquitto_passwd', ['-b', '-c', file, login.username, login.password]);
    settings.push(`password_file ${file}`);
  }
  await writeFile(join(folder, 'mosquitto.conf'), `${settings.join('\n')}\n`);
  const child = startChild('mosquitto', ['-c', join(folder, 'mosquitto.conf')]);
  await child.line(/mosquitto version .* running/);

  const connect = async () => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100, ...login });
    atEnd(() => client.endAsync(true));
    return client;
  };
  return {
    pid: child.pid,
    port,
    kill: child.kill,
    stop: child.stop,
    restart: () => startBroker({ ...options, port }),
    async publish(topic, payload, { retain = false } = {}) {
      const client = await connect();
      await client.publishAsync(topic, payload, { qos: 1, retain });
    },
    async subscribe(topic) {
      const client = await connect();
      const messages: Message[] = [];
      client.on('message', (name, payload, { qos, retain }) => {
        messages.push({ topic: name, payload: payload.toString(), qos, retain });
      });
      await client.subscribeAsync(topic, { qos: 1 });
      return {
        messages,
        message: (wanted, timeout = 15_000) =>
          waitFor(() => messages.find(wanted), timeout, `a message on ${topic}`),
      };
    },
  };
}
