import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BrokerLink } from '../../../../bus/mqtt/broker/broker-link.ts';
import type { BrokerOptions } from '../../../../bus/mqtt/broker/broker-options.ts';
import type { BrokerSession } from '../../../../bus/mqtt/broker/broker-session.ts';
import { silentLogger } from '../../../support/bus.ts';
import { atEnd } from '../../../support/cleanup.ts';
import { startFakeBroker } from '../../../support/fake-broker.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { startBroker } from '../../../support/mosquitto.ts';
import { waitFor } from '../../../support/wait.ts';
import { startWebSocketProxy } from '../../../support/websocket-proxy.ts';

function connectTo(
  options: Partial<BrokerOptions> & { port: number },
  onOpen?: (session: BrokerSession) => Promise<void>,
) {
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const messages: string[] = [];
  const link = new BrokerLink(
    { host: '127.0.0.1', clientId: `test-${randomBytes(4).toString('hex')}`, ...options },
    [],
    { ...silentLogger().source('mqtt'), info: write, warning: write },
    {
      ...(onOpen && { onOpen }),
      onConnect() {},
      onMessage: (topic, payload) => void messages.push(`${topic} ${payload}`),
    },
  );
  atEnd(() => link.close(undefined, 500));
  const publish = (topic: string, payload: string) => link.publish({ topic, payload, isRetained: false });
  const connected = () => waitFor(() => link.state.isConnected, 10_000, 'the connection');
  return { link, log, messages, publish, connected };
}

/** Real time passes: a connection is steady, or a broker silent, after several seconds. */
const patience = { timeout: 90_000 };

describe('a topic that the broker refuses', () => {
  test('is named once by a broker of MQTT 5; three tries, and the other topics go on', async () => {
    const acl = 'topic write good/#\ntopic read #\n';
    const broker = await startBroker({ acl });
    const subscriber = await broker.subscribe('#');
    const { link, log, publish } = connectTo({ port: broker.port });
    const bad = [1, 2, 3].map((n) => publish('bad', String(n)));
    const good = Array.from({ length: 300 }, (_, n) => publish('good/one', String(n)));
    expect(new Set(await Promise.all(good))).toEqual(new Set(['delivered']));
    expect(await Promise.all(bad)).toEqual(['refused', 'refused', 'refused']);
    expect(link.state.refused).toMatchObject([
      { topic: 'bad', count: 3, reason: expect.stringMatching(/not authorized/i) },
    ]);
    expect(log.filter((line) => line.includes('refuses bad'))).toHaveLength(1);
    await subscriber.message(({ payload }) => payload === '299');
    const order = subscriber.messages.map(({ payload }) => Number(payload));
    expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  test('is found by a broker of MQTT 3.1.1 closing the connection on it; the other topics go on', async () => {
    const broker = await startFakeBroker({ closesOn: 'bad' });
    const { link, log, publish } = connectTo({ port: broker.port });
    const outcomes: Record<string, string> = {};
    const all = ['good/one', 'bad', 'good/two', 'bad', 'good/one'].map(async (topic, n) => {
      outcomes[`${topic} ${n}`] = await publish(topic, String(n));
    });
    await Promise.all(all);
    expect(outcomes).toEqual({
      ...{ 'good/one 0': 'delivered', 'good/two 2': 'delivered', 'good/one 4': 'delivered' },
      ...{ 'bad 1': 'refused', 'bad 3': 'refused' },
    });
    // All at once, then three tries alone; the second message is not tried any more.
    expect(broker.logins).toBeLessThanOrEqual(5);
    expect(link.state.refused).toMatchObject([{ topic: 'bad', count: 2 }]);
    expect(log.filter((line) => line.includes('refuses bad'))).toHaveLength(1);
    expect(await publish('good/three', 'later')).toBe('delivered');
    expect(log.join()).not.toContain('client id');
  });
});

test('publications that were set aside are counted for good, also when their topic is accepted later', async () => {
  const broker = await startBroker({ acl: 'topic write good/#\ntopic read #\n' });
  const { link, publish } = connectTo({ port: broker.port });
  expect(await publish('bad', '1')).toBe('refused');
  expect(await publish('bad', '2')).toBe('refused');
  await broker.kill();
  await startBroker({ port: broker.port });
  expect(await publish('bad', '3')).toBe('delivered');
  expect(link.state.refused).toEqual([]);
  expect(link.state.setAside).toEqual([{ topic: 'bad', count: 2 }]);
});

test.concurrent('a publication that is never confirmed is sent again', { timeout: 40_000 }, async () => {
  const broker = await startFakeBroker({ forgets: 'lost' });
  const { publish } = connectTo({ port: broker.port });
  const lost = publish('lost', '1');
  expect(await publish('lost', '2')).toBe('delivered');
  expect(await lost).toBe('delivered');
  expect(broker.confirmed.map(([, payload]) => payload)).toContain('1');
});

test.concurrent(
  'a broker that leaves a subscription or a question unanswered is asked again on a new connection',
  patience,
  async () => {
    const broker = await startFakeBroker({ ignores: 'answers', forgets: 'question' });
    const learned: string[] = [];
    const { log, publish } = connectTo({ port: broker.port }, async (session) => {
      await session.subscribe('answers').catch(() => {});
      const question = { topic: 'question', payload: '', isRetained: false };
      learned.push(
        await session.publish(question).then(
          () => 'all',
          () => 'nothing',
        ),
      );
    });
    expect(await publish('one', '1')).toBe('delivered');
    expect(learned).toEqual(['nothing', 'nothing', 'all']);
    expect(broker.logins).toBe(3);
    expect(log.filter((line) => line.includes('has not answered for 10 s'))).toHaveLength(2);
  },
);

test.concurrent(
  'the last log entry says whether a broker that comes and goes is connected',
  patience,
  async () => {
    const broker = await startFakeBroker();
    const { link, log, connected } = connectTo({ port: broker.port, version: '3.1.1' });
    const isLast = () => log.at(-1)?.startsWith('connected') === true;
    const lost = () => waitFor(() => !link.state.isConnected, 5000, 'the loss');
    await connected();
    broker.setDown(true);
    // That it was closed, and that it is closed before an answer.
    await waitFor(() => log.length >= 3, 10_000, 'both reasons');
    // With a look at its transport each.
    await waitFor(() => broker.refused >= 12, 15_000, 'more attempts');
    expect(new Set(log).size).toBe(log.length);
    broker.setDown(false);
    await waitFor(isLast, 10_000, 'the entry');
    broker.setDown(true);
    await lost();
    await waitFor(() => !isLast(), 30_000, 'the second loss to be logged');
    broker.setDown(false);
    await connected();
    // It may be gone again in a moment.
    expect(isLast()).toBe(false);
    await waitFor(isLast, 20_000, 'it to be steady');
    expect(log.filter((line) => line.startsWith('connected'))).toHaveLength(3);
  },
);

test.concurrent(
  'a broker that says nothing any more is left, and what waits is sent when it is back',
  patience,
  async () => {
    const broker = await startBroker();
    const { link, connected, publish } = connectTo({ port: broker.port });
    await connected();
    process.kill(broker.pid, 'SIGSTOP');
    const underWay = publish('one', '0');
    await waitFor(() => !link.state.isConnected, 30_000, 'the loss');
    const waiting = publish('one', '1');
    process.kill(broker.pid, 'SIGCONT');
    expect(await Promise.all([underWay, waiting])).toEqual(['delivered', 'delivered']);
  },
);

test('the last word is the last, whatever still waits', async () => {
  const broker = await startFakeBroker();
  const { link, publish, connected } = connectTo({ port: broker.port });
  await connected();
  for (let n = 0; n < 1000; n += 1) void publish('one', String(n));
  await link.close({ topic: 'available', payload: 'offline', isRetained: true }, 5000);
  expect(broker.confirmed.at(-1)).toEqual(['available', 'offline']);
});

test('a broker that knows only MQTT 3.1.1 is spoken to in that, without a complaint', async () => {
  const broker = await startFakeBroker();
  const { link, log, publish } = connectTo({ port: broker.port });
  expect(await publish('one', '1')).toBe('delivered');
  expect(link.state.version).toBe('3.1.1');
  expect(log).toEqual([expect.stringMatching(/^connected to mqtt:/)]);
});

describe('a broker that', () => {
  test('speaks only TLS is named', async () => {
    const { tls } = await certificates();
    const broker = await startBroker({ listener: tls, connection: { reconnectPeriod: 0 } });
    const { link } = connectTo({ port: broker.port });
    await waitFor(() => link.state.reason.includes('speaks TLS'), 10_000, 'the reason');
    expect(link.state.reason).toContain('protocol = "mqtts"');
  });

  test('does not speak TLS is named', async () => {
    const broker = await startBroker();
    const { link } = connectTo({ port: broker.port, protocol: 'mqtts' });
    await waitFor(() => link.state.reason.includes('does not speak TLS'), 10_000, 'the reason');
  });

  test('is gone for long causes one log entry', async () => {
    const broker = await startBroker();
    const { link, log, connected } = connectTo({ port: broker.port });
    await connected();
    await broker.kill();
    await waitFor(() => link.state.reason.includes('ECONNREFUSED'), 10_000, 'a refused connection');
    await broker.restart();
    await connected();
    expect(log.filter((line) => line.startsWith('connected'))).toHaveLength(2);
    // That it was closed, and that nobody answers.
    expect(log.length).toBeLessThanOrEqual(4);
  });
});

test.each(['5', '3.1.1'] as const)(
  'a second client with the same id is recognised with MQTT %s',
  async (version) => {
    const broker = await startBroker();
    const one = connectTo({ port: broker.port, version, clientId: 'cloned' });
    await one.connected();
    const other = connectTo({ port: broker.port, version, clientId: 'cloned' });
    const named = () => [one, other].find(({ link }) => link.state.reason.includes('the client id cloned'));
    const loser = await waitFor(named, 30_000, 'the reason');
    const entries = loser.log.filter((line) => line.includes('the client id cloned'));
    expect(entries).toHaveLength(1);
  },
);

test('a broker that says that a second client has the same id is believed at once', async () => {
  // Mosquitto 2.0.11 does not say it.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from([0x20, 3, 0, 0, 0, 0xe0, 2, 142, 0])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => void server.close());
  const { port } = server.address() as AddressInfo;
  const { link } = connectTo({ port, clientId: 'cloned' });
  const reason = () => link.state.reason.includes('another client has logged in with the client id cloned');
  await waitFor(reason, 10_000, 'the reason');
});

describe('transport', () => {
  const login = { username: 'größe', password: 'pässwörd 密码 🔑' };

  test.each([
    ['MQTT 3.1.1', { version: '3.1.1' as const }],
    ['IPv6', { host: '::1' }],
  ])('%s', async (_, options) => {
    const broker = await startBroker({ login, ...('host' in options && { address: options.host }) });
    const { publish, link } = connectTo({ port: broker.port, ...login, ...options });
    expect(await publish('one', '1')).toBe('delivered');
    expect(link.state.isConnected).toBe(true);
  });

  test.each(['127.0.0.1', '::1'])('a WebSocket on %s', async (host) => {
    const broker = await startBroker({ login });
    const port = await startWebSocketProxy(broker.port, { host, path: '/mqtt' });
    const { publish } = connectTo({ host, port, protocol: 'ws', path: '/mqtt', ...login });
    expect(await publish('one', '1')).toBe('delivered');
  });

  test('TLS with an own authority and a client certificate', async () => {
    const { tls, ca, cert, key } = await certificates();
    const broker = await startBroker({ listener: [...tls, 'require_certificate true'] });
    const options = { port: broker.port, host: 'localhost', protocol: 'mqtts' as const };
    const { publish } = connectTo({ ...options, ca, cert, key });
    expect(await publish('one', '1')).toBe('delivered');
    const stranger = connectTo({ ...options, cert, key });
    await waitFor(() => stranger.link.state.reason.includes('certificate'), 10_000, 'the reason');
  });

  test('a WebSocket over TLS with an own authority and a client certificate', async () => {
    const { ca, cert, key, server } = await certificates();
    const broker = await startBroker();
    const tls = { ...server, ca, requestCert: true, rejectUnauthorized: true };
    const port = await startWebSocketProxy(broker.port, { host: '127.0.0.1', path: '/mqtt', tls });
    const { publish } = connectTo({ host: 'localhost', port, protocol: 'wss', ca, cert, key });
    expect(await publish('one', '1')).toBe('delivered');
  });
});

/** An authority, and certificates for `localhost` and a client, with the lines for mosquitto. */
async function certificates() {
  const folder = await temporaryFolder();
  const run = (line: string) => execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'pipe' });
  const fresh = 'req -x509 -newkey rsa:2048 -nodes -days 2';
  run(`${fresh} -keyout ca.key -out ca.pem -subj /CN=authority`);
  for (const name of ['server', 'client']) {
    run(
      `${fresh} -keyout ${name}.key -out ${name}.pem -subj /CN=${name} -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE`,
    );
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const file = (name: string) => join(folder, name);
  return {
    tls: [`cafile ${file('ca.pem')}`, `certfile ${file('server.pem')}`, `keyfile ${file('server.key')}`],
    server: { cert: read('server.pem'), key: read('server.key') },
    ...{ ca: read('ca.pem'), cert: read('client.pem'), key: read('client.key') },
  };
}
