import { Server as SecureServer } from 'node:tls';
import type { Log } from '../bus/log.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { Sessions } from '../store/accounts/sessions.ts';
import type { Config } from '../store/config/config.ts';
import { openDoor } from './door.ts';
import { Credentials } from './gate/credentials.ts';
import { Gate } from './gate/gate.ts';
import { LiveFeed } from './live/live-feed.ts';
import { LogFeed } from './log/log-feed.ts';
import { plainPage } from './pages/page-routes.ts';
import type { ApiServices } from './request/api-services.ts';
import { routes } from './routes.ts';
import { MonitorStates } from './state/monitor-states.ts';
import type { Site } from './state/site.ts';
import { BasePath } from './transport/base-path.ts';
import { explainListen } from './transport/listen-error.ts';
import { createListener } from './transport/listener.ts';
import { securityHeaders } from './transport/security-headers.ts';
import { certificateSource, serveCertificate } from './transport/tls.ts';
import { TrustedProxies } from './transport/trusted-proxies.ts';

export interface HttpServerOptions extends ApiServices {
  /** A connection to the bus for live video, beside which nothing else waits. */
  readonly videoBus: Bus;
  readonly config: Pick<
    Config,
    'host' | 'port' | 'auth' | 'tls' | 'configDir' | 'trustedProxies' | 'basePath'
  >;
  /** Only where several machines are one system. */
  readonly site?: Site | undefined;
  /** Of what the machines ask each other. */
  readonly siteLog: Log;
  /** Milliseconds between two pings of a WebSocket; 30,000 by default. */
  readonly pingInterval?: number;
}

export interface HttpServer {
  /** URL of the server from this machine, such as `https://127.0.0.1:2020`. */
  readonly address: string;
  readonly port: number;
  /** Stops listening and closes every connection within 5 s; WebSockets get a close frame first. Safe to call twice. */
  close(): Promise<void>;
}

const certificateIntervalMs = 10_000;

/**
 * Starts the HTTPS and WebSocket server.
 *
 * @throws {CertificateError} if the certificate is unusable; the system's error if the port is taken.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, accounts, logs, log, site } = options;
  const { tls, auth } = config;
  const secure = tls.mode !== 'off';
  const headers = securityHeaders({ strictTransport: tls.mode === 'files' });
  const server = createListener(secure, headers);
  const source = certificateSource(config);
  const stopCertificate =
    source && server instanceof SecureServer
      ? await serveCertificate(source, certificateIntervalMs, (pair) => server.setSecureContext(pair), log)
      : () => {};

  const credentials = new Credentials(accounts, log);
  const sessions = await Sessions.open({ configDir: config.configDir, accounts, log });
  const proxies = new TrustedProxies(config.trustedProxies);
  const basePath = new BasePath(config.basePath);
  basePath.takeOff(server);
  const gate = new Gate({ auth, secure, accounts, credentials, sessions, proxies, log });
  const feed = new LogFeed(logs, options.machines().length > 0);
  const states = new MonitorStates(options.bus, site);
  const live = new LiveFeed({ bus: options.videoBus, monitors: options.monitors, states });
  const cluster = site && (await openCluster());
  const between = { ...options, log: options.siteLog };
  const relay = site && cluster && new cluster.Relay({ ...between, site });
  const siteCatalogue =
    site && cluster && relay && new cluster.SiteLists({ ...options, site, peers: relay.peers });
  const catalogues =
    site && cluster && relay && new cluster.PeerCatalogues({ ...between, site, peers: relay.peers });
  const machine = site?.machine;
  const table = routes({
    ...options,
    ...{ feed, live, states, sessions, gate, basePath, machine, siteCatalogue },
  });
  const common = { table, proxies, machine, headers, log };
  const missing = table.find(({ path }) => path === plainPage);
  const door = openDoor({
    ...common,
    server,
    gate,
    missing,
    relay,
    basePath,
    pingInterval: options.pingInterval,
  });
  // Registered after `Credentials` and `Sessions`, whose listeners must know of the change first.
  const forgetAccounts = accounts.onChange(door.check);
  sessions.onEnd(door.check);
  let closePeerDoor: (() => Promise<void>) | undefined;

  try {
    const port = await door.listen({ host: config.host, port: config.port });
    closePeerDoor = site && cluster?.keepPeerDoor(site, { ...options, ...common });
    const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
    const name = host.includes(':') ? `[${host}]` : host;
    return { address: `${secure ? 'https' : 'http'}://${name}:${port}`, port, close: once(close) };
  } catch (error) {
    await close();
    throw explainListen(error, config);
  }

  async function close(): Promise<void> {
    stopCertificate();
    forgetAccounts();
    await Promise.all([door.close(), closePeerDoor?.()]);
    catalogues?.close();
    relay?.close();
    feed.close();
    live.close();
    states.close();
    credentials.close();
    await sessions.close();
  }
}

/** Nothing of it is loaded where there is one machine. */
async function openCluster() {
  const [{ Relay }, { SiteLists }, { PeerCatalogues }, { keepPeerDoor }] = await Promise.all([
    import('./relay/relay.ts'),
    import('./relay/site-lists.ts'),
    import('./relay/peer-catalogues.ts'),
    import('./peer-door.ts'),
  ]);
  return { Relay, SiteLists, PeerCatalogues, keepPeerDoor };
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= close();
    return closing;
  };
}
