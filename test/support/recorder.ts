import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { mainAllocator } from '../../bus/children/host-process.ts';
import { type Child, startChild } from './child.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { fetchThrough, type RequestOptions } from './https.ts';
import type { Place } from './lab.ts';
import { commandLine, descendants } from './processes.ts';
import { project } from './project.ts';
import { type Feed, openFeed } from './websocket.ts';

export interface RecorderOptions {
  /** Keys of `sentryshot.toml` beside, or instead of, the usual ones of a test. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Monitor files that are there before the start, see `monitors.ts`. */
  readonly monitors?: readonly { readonly id: string }[];
  /** Accounts that are made through the API after the start, beside `admin`; their id is their name. */
  readonly accounts?: readonly {
    username: string;
    password: string;
    isAdmin: boolean;
    monitors?: string[];
  }[];
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of another build than `dist`. */
  readonly build?: string;
  /** Milliseconds until it must serve; 30,000 by default. */
  readonly startDeadlineMs?: number;
  /** Where it has a network of its own. */
  readonly place?: Place;
}

/** Whom a request comes from. `null`: nobody. */
export type Login = { readonly username: string; readonly password: string } | null;

/** A whole recorder, the built one, that is reached through its front door. */
export interface Recorder
  extends Pick<Child, 'pid' | 'lines' | 'line' | 'exited' | 'signal' | 'stop' | 'kill'> {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly admin: NonNullable<Login>;
  /** Holds `configs/` and `storage/`. */
  readonly folder: string;
  /** Where `<YYYY>/<MM>/<DD>/<monitor>/…mp4` begins. */
  readonly recordings: string;
  /** As `fetch`, logged in as the admin unless told otherwise. */
  fetch(path: string, options?: RequestOptions, login?: Login): Promise<Response>;
  /** The body of a successful GET. @throws when it is not successful. */
  get<T>(path: string): Promise<T>;
  /** A request that changes something: as the admin, with the CSRF token. @throws when it is not successful. */
  change(method: 'PUT' | 'POST' | 'PATCH' | 'DELETE', path: string, value?: unknown): Promise<Response>;
  /** Opens a WebSocket, `/api/logs` for example. */
  feed(path: string, login?: Login): Promise<Feed>;
  /** The pids of its living child processes whose command line matches. */
  children(pattern: RegExp): number[];
  /** Starts it again with all it has stored, after `stop` or `kill`; on another port. */
  restart(args?: readonly string[]): Promise<Recorder>;
}

const admin = { username: 'admin', password: 'correct horse battery staple' };

/** What `npm start -- --config FILE` does once everything is installed: a program for `node --eval`. */
export const recorderProgram = (
  build = join(project, 'dist'),
) => `import { runRecorder } from ${JSON.stringify(join(build, 'actors/main.js'))};
await runRecorder(process.argv.slice(1));`;

/** Starts a recorder in a temporary folder and waits until it serves. It is gone when the test is over. */
export async function startRecorder(options: RecorderOptions = {}): Promise<Recorder> {
  const folder = await temporaryFolder();
  const configs = join(folder, 'configs');
  await mkdir(join(configs, 'monitors'), { recursive: true });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    storage_dir: join(folder, 'storage'),
    plugin: ['auth_basic', 'motion'].map((name) => ({ name, enable: true })),
    ...options.config,
  };
  await writeFile(join(configs, 'sentryshot.toml'), stringify(settings));
  for (const monitor of options.monitors ?? []) {
    await writeFile(join(configs, 'monitors', `${monitor.id}.json`), JSON.stringify(monitor));
  }
  const recorder = await start(folder, options);
  for (const { username, password, ...rest } of options.accounts ?? []) {
    const account = { id: username, username, plainPassword: password, ...rest };
    await recorder.change('PUT', '/api/account', account);
  }
  return recorder;
}

/** Starts one with what is in a folder: `configs/` and `storage/`. */
export const startInstalled = (folder: string): Promise<Recorder> => start(folder, {});

async function start(
  folder: string,
  options: Pick<RecorderOptions, 'env' | 'build' | 'startDeadlineMs' | 'place'>,
  more: readonly string[] = [],
): Promise<Recorder> {
  const { env = {}, build = join(project, 'dist'), startDeadlineMs = 30_000, place } = options;
  const config = join(folder, 'configs', 'sentryshot.toml');
  const program = [
    '--input-type=module',
    '--eval',
    recorderProgram(build),
    '--',
    '--config',
    config,
    ...more,
  ];
  const [command = '', ...args] = [...(place?.command ?? []), 'node', ...program];
  const child = startChild(command, args, {
    cwd: folder,
    env: { ...mainAllocator, SENTRYBUS_ADMIN_PASSWORD: admin.password, ...env },
  });
  const [, served = ''] = await child.line(/^Serving (https?:\/\/\S+)/, startDeadlineMs);
  const url = place ? await place.reach(served) : served;
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  atEnd(async () => agent.destroy());

  const call: Recorder['fetch'] = (path, request = {}, login = admin) =>
    fetchThrough(agent, url + path, { ...request, headers: { ...authorization(login), ...request.headers } });
  const succeed = async (path: string, request?: RequestOptions) => {
    const response = await call(path, request);
    if (response.ok) return response;
    throw new Error(`${request?.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
  };
  return {
    ...child,
    url,
    admin,
    folder,
    recordings: join(folder, 'storage', 'recordings'),
    fetch: call,
    get: async (path) => (await succeed(path)).json(),
    async change(method, path, value) {
      const token = await (await succeed('/api/account/my-token')).text();
      const json = value === undefined ? {} : { 'content-type': 'application/json' };
      const headers = { 'x-csrf-token': token, ...json };
      return succeed(path, { method, headers, ...(value !== undefined && { body: JSON.stringify(value) }) });
    },
    feed: (path, login = admin) => openFeed(url.replace(/^http/, 'ws') + path, authorization(login)),
    children: (pattern) => descendants(child.pid).filter((pid) => pattern.test(commandLine(pid))),
    restart: (more = []) => start(folder, options, more),
  };
}

function authorization(login: Login): Record<string, string> {
  if (!login) return {};
  const credentials = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}
