import { mkdir } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { detectors } from '../../actors/detectors/host/detector-list.ts';
import { Pictures } from '../../actors/pictures.ts';
import { retentionRules } from '../../actors/settings.ts';
import { SourceTests } from '../../actors/source-tests.ts';
import { nowUs } from '../../bus/base/time.ts';
import type { Log } from '../../bus/log.ts';
import { Logger } from '../../bus/logging/logger.ts';
import type { LogEntry } from '../../bus/messages.ts';
import type { MqttReport } from '../../bus/mqtt/mqtt-bridge.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { commands } from '../../bus/subjects.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../http/server.ts';
import { Accounts } from '../../store/accounts/accounts.ts';
import { type LogSite, LogStore } from '../../store/log/log-store.ts';
import { Monitors } from '../../store/monitors/monitors.ts';
import { removeEventSnapshots } from '../../store/recordings/event-snapshots.ts';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../../store/recordings/files/recording-marks.ts';
import { FragmentIndexes } from '../../store/recordings/fragments/fragment-indexes.ts';
import { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { RemovalReports } from '../../store/recordings/removal-reports.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import { reportStorage } from '../../store/recordings/retention/storage-report.ts';
import { StorageSurvey } from '../../store/recordings/retention/storage-survey.ts';
import { readSnapshot } from '../../store/recordings/snapshots.ts';
import { startTestBus } from './bus.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { fetchThrough, type RequestOptions } from './https.ts';
import type { Login } from './recorder.ts';
import { type Feed, openFeed } from './websocket.ts';

/** What the system was asked to do. */
export interface Applied {
  readonly monitorID: string;
  readonly restart: boolean;
}

/** The real HTTP server over a real store, bus and log; only the system behind the bus is missing. */
export interface FrontDoor {
  readonly server: HttpServer;
  readonly url: string;
  readonly folder: string;
  readonly accounts: Accounts;
  readonly monitors: Monitors;
  readonly recordingsDir: string;
  readonly recordings: RecordingArchive;
  readonly bus: Bus;
  readonly busAddress: BusAddress;
  readonly log: Log;
  /** Writes entries of another source. */
  readonly logger: Logger;
  /** Everything that was logged since the start. */
  readonly logged: readonly LogEntry[];
  /** The commands that the system was given. */
  readonly applied: readonly Applied[];
  /** As `fetch`; as the admin unless told otherwise. */
  fetch(path: string, options?: RequestOptions, login?: Login): Promise<Response>;
  /** With the caller's CSRF token, and a body as JSON. */
  change(method: string, path: string, value?: unknown, login?: Login): Promise<Response>;
  token(login?: Login): Promise<string>;
  /** Starts a session. */
  logIn(login?: NonNullable<Login>): Promise<TestSession>;
  feed(path: string, login?: Login, headers?: Readonly<Record<string, string>>): Promise<Feed>;
  /** Puts an account behind the server's back, so to speak: as the store does it. */
  account(login: NonNullable<Login>, isAdmin: boolean): Promise<void>;
  /** Ends the server and its log; the bus stays. */
  close(): Promise<void>;
}

/** A session, as a browser has it. */
export interface TestSession {
  readonly id: string;
  /** As in the header `Cookie`. */
  readonly cookie: string;
  /** The headers of a request that one of our own pages sends. */
  readonly headers: Readonly<Record<'cookie' | 'x-csrf-token' | 'origin' | 'sec-fetch-site', string>>;
}

export const admin = { username: 'admin', password: 'correct horse' };
export const user = { username: 'user', password: 'battery staple' };

type Options = Partial<
  Pick<HttpServerOptions['config'], 'auth' | 'tls' | 'port' | 'trustedProxies' | 'basePath'>
> &
  Partial<
    Pick<
      HttpServerOptions,
      'pingInterval' | 'health' | 'catalogueProgress' | 'machines' | 'declareMachineOff' | 'site'
    >
  > & {
    /** What `GET /api/mqtt` tells. */
    readonly mqtt?: MqttReport;
    /** Of its streams, where it is one of several machines, and where those of the others are. */
    readonly domain?: string;
    readonly others?: LogSite;
    /** Of one that was closed, whose files it has. */
    readonly folder?: string;
    readonly statementSeconds?: number;
    /** Whether there is a system that answers commands. */
    readonly answering?: boolean;
  };

/** Account ids are the user names. */
export async function openFrontDoor(options: Options = {}): Promise<FrontDoor> {
  const { domain, others, folder = await temporaryFolder() } = options;
  const { server: busServer, bus } = await startTestBus(domain);
  const logged: LogEntry[] = [];
  const logger = new Logger((entry) => logged.push(entry));
  logger.attach(bus);
  const log = logger.source('auth');

  const applied: Applied[] = [];
  if (options.answering !== false) {
    bus.respond(commands.apply, ['*'], ({ restart }, [, monitorID = '']) => {
      applied.push({ monitorID, restart });
    });
  }

  const accounts = await Accounts.open(folder);
  const account: FrontDoor['account'] = async ({ username, password }, isAdmin) => {
    await accounts.put({ id: username, username, isAdmin, plainPassword: password });
  };
  await account(admin, true);
  await account(user, false);
  const monitors = await Monitors.open(folder, { detectors });
  const logs = await LogStore.open({
    file: join(folder, 'log.duckdb'),
    bus: busServer.address,
    ...(options.site && { machine: options.site.machine }),
    site: others,
    logs: { maxAgeDays: 30, maxSizeMegabytes: 100 },
    statementSeconds: options.statementSeconds,
    onError: (error) => log.error(error.message),
  });
  atEnd(() => logs.close());
  if (others) logs.hear(others.others);
  const {
    auth = 'basic',
    tls = { mode: 'self-signed' },
    port = 0,
    trustedProxies = [],
    basePath = '',
    pingInterval,
  } = options;
  const recordingsDir = join(folder, 'recordings');
  const files = new RecordingFiles(recordingsDir);
  const pictures = new Pictures(folder);
  atEnd(async () => pictures.close());
  const marks = new RecordingMarks(files);
  const removals = new RemovalReports(bus, () => {});
  const recordings = new RecordingArchive({
    files,
    indexes: new FragmentIndexes(files),
    marks,
    catalogue: logs,
    makePicture: (order) => pictures.make(order),
    onRemoved: (id, reason) => removals.add(id, reason),
    removeRest: (removed) => removeEventSnapshots(folder, logs, removed),
  });
  let lastStorage: StorageReport | undefined;
  const sourceTests = new SourceTests({ storageDir: folder, mediaDir: folder });
  atEnd(async () => sourceTests.close());
  const server = await startHttpServer({
    config: { host: '127.0.0.1', port, auth, tls, trustedProxies, basePath, configDir: folder },
    accounts,
    monitors,
    logs,
    recordings,
    bus,
    videoBus: bus,
    log,
    siteLog: log,
    detectors: () => [],
    snapshot: (eventID) => readSnapshot(folder, eventID),
    testSource: (monitor, signal) => sourceTests.run(monitor, signal),
    mqtt: async () => options.mqtt,
    site: options.site,
    machines: options.machines ?? (() => []),
    declareMachineOff: options.declareMachineOff ?? (() => {}),
    storage: async () => {
      await mkdir(recordingsDir, { recursive: true });
      const survey = new StorageSurvey({ storageDir: folder, logFile: join(folder, 'log.duckdb') }, logs);
      const rulesOf = (id: string) => retentionRules(monitors.get(id));
      const limits = { maxBytes: 1e9, minFreeBytes: 0 };
      const contents = await survey.take(Date.now());
      lastStorage = reportStorage(contents, { limits, rulesOf, state: 'room' }, nowUs());
      return lastStorage;
    },
    lastStorage: () => lastStorage,
    catalogueProgress: options.catalogueProgress ?? (() => ({ state: 'complete', added: 0, missing: 0 })),
    health: options.health ?? (() => true),
    ...(pingInterval !== undefined && { pingInterval }),
  });
  atEnd(() => server.close());

  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const url = server.address;
  const call: FrontDoor['fetch'] = (path, request = {}, login = admin) =>
    fetchThrough(agent, url + path, { ...request, headers: { ...authorization(login), ...request.headers } });
  const token = async (login: Login = admin) => (await call('/api/account/my-token', {}, login)).text();
  return {
    server,
    url,
    folder,
    recordingsDir,
    recordings,
    accounts,
    monitors,
    bus,
    busAddress: busServer.address,
    log,
    logger,
    logged,
    applied,
    account,
    fetch: call,
    token,
    async change(method, path, value, login = admin) {
      const json = value === undefined ? {} : { 'content-type': 'application/json' };
      const headers = { 'x-csrf-token': await token(login), ...json };
      const body = value === undefined ? {} : { body: JSON.stringify(value) };
      return call(path, { method, headers, ...body }, login);
    },
    async logIn({ username, password } = admin) {
      const headers = { 'content-type': 'application/json', origin: url };
      const body = JSON.stringify({ username, password });
      const answer = await call('/api/session', { method: 'POST', headers, body }, null);
      if (answer.status !== 200) throw new Error(`the login was answered with ${answer.status}`);
      const { csrfToken, session } = (await answer.json()) as { csrfToken: string; session: { id: string } };
      const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
      const own = { cookie, 'x-csrf-token': csrfToken, origin: url, 'sec-fetch-site': 'same-origin' };
      return { id: session.id, cookie, headers: own };
    },
    feed: (path, login = admin, headers = {}) =>
      openFeed(url.replace(/^http/, 'ws') + path, { ...authorization(login), ...headers }),
    async close() {
      await server.close();
      await logs.close();
    },
  };
}

export function authorization(login: Login): Record<string, string> {
  if (!login) return {};
  const credentials = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}
