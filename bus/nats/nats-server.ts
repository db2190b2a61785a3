import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelay } from '../base/backoff.ts';
import { retry } from '../children/retry.ts';
import { orphanMs, stopDeadlinesMs } from '../children/stop-deadlines.ts';
import { type ChildEnd, SupervisedChild } from '../children/supervised-child.ts';
import type { Log } from '../log.ts';
import type { BusAddress } from './bus-address.ts';

/** The embedded nats-server could not be started. */
class NatsServerError extends Error {
  override readonly name = 'NatsServerError';
  readonly code = 'bus_server_failed';
}

export interface NatsServer {
  readonly address: BusAddress;
  /** Changes when the server is restarted. */
  readonly pid: number;
  /** Kills the process, which is then started again as after any other exit. */
  restart(): void;
  /** Ends the server; its streams stay on disk. Safe to call twice. */
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** The server's own folder, for its configuration and streams. */
  readonly dir: string;
  readonly log: Log;
  /** For a server other than the embedded bus of a machine that is alone. */
  readonly kind?: ServerKind;
}

/** What a bus has where there are several machines. */
export interface SiteMember {
  /** Of its JetStream: by it the others name its streams. */
  readonly domain: string;
  /** How it reaches the others: lines of its configuration. */
  readonly config: string;
}

/** What tells one nats-server from another. */
export interface ServerKind {
  /** Its name in the log. */
  readonly name: string;
  /** -1: any free port of the loopback interface. */
  readonly port: number;
  /** Its configuration in its folder, without what all of them need. */
  config(dir: string): string;
  /** Errors that it logs in the course of things, and that are no news. */
  readonly usualErrors?: RegExp;
}

/** So long a client may take to log in. By default it is 2 s, which a process on a busy machine may need to get its turn. */
export const loginSeconds = 15;

/** The embedded bus. @param site where this machine is one of several. */
export const embeddedBus = (site?: SiteMember): ServerKind => ({
  name: 'nats-server',
  port: -1,
  // Machines that are off: as often as those like.
  ...(site && { usualErrors: /leafnode|handshake/i }),
  config: (dir) => `
host: "127.0.0.1"
authorization { token: $SENTRYBUS_BUS_TOKEN, timeout: ${loginSeconds} }
max_payload: 8MB
# A subscriber that does not read is disconnected before it can hold up the others.
max_pending: 16MB
write_deadline: "2s"
# Fixed, because the default is a share of the free space: on a disk that recordings fill, the streams would not fit one day.
jetstream { store_dir: ${JSON.stringify(dir)}, max_file_store: 2GB${site ? `, domain: ${JSON.stringify(site.domain)}` : ''} }
${site?.config ?? ''}`,
});

const readyDeadlineMs = 10_000;
const restart = { minMs: 100, maxMs: 10_000 };
/** A server that has been ready for so long is a steady one. */
const steadyMs = 10_000;

/**
 * Starts nats-server, the embedded bus on a free loopback port with a random token. If it exits, it is restarted on the same port with the
 * same token, so that every client reconnects by itself: at once, but after longer and longer pauses if it exits again and again soon
 * after it was ready.
 *
 * @throws {NatsServerError} if it is not installed, or not ready within 10 s.
 */
export async function startNatsServer({
  dir,
  log,
  kind = embeddedBus(),
}: NatsServerOptions): Promise<NatsServer> {
  // The token begins with a letter because nats-server reads a value that begins with a digit as a number.
  const token = `t${randomBytes(24).toString('hex')}`;
  await mkdir(dir, { recursive: true, mode: 0o750 });
  await endLeftover(dir);

  const stopping = new AbortController();
  const complain = onlyNews((message) => log.error(message));
  let current: SupervisedChild | undefined;
  /** The one whose restart was asked for last. */
  let unwanted: SupervisedChild | undefined;
  const onStart = (child: SupervisedChild) => {
    current = child;
  };
  const { name } = kind;
  const launching = { dir, token, kind, complain, onStart, signal: stopping.signal };
  let server = await launch(launching, kind.port);
  const { port } = server;
  const running = keepRunning();
  return {
    address: { servers: [`127.0.0.1:${port}`], token },
    get pid() {
      return current?.pid ?? 0;
    },
    // Clients reconnect before a new server counts as ready, and may ask for its restart right then.
    restart() {
      unwanted = current;
      current?.kill();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };

  async function keepRunning(): Promise<void> {
    /** In a row, soon after the server was ready, and not asked for. */
    let earlyDeaths = 0;
    for (;;) {
      const readyAt = performance.now();
      const { kind, how } = await server.child.ended;
      if (kind === 'stopped') return;
      const isEarly = server.child !== unwanted && performance.now() - readyAt < steadyMs;
      earlyDeaths = isEarly ? earlyDeaths + 1 : 0;
      const failures = Math.max(0, earlyDeaths - 1);
      log.error(`${name} ${how}; restarting it`);
      try {
        server = await retry(() => launch(launching, port), {
          pauseMs: (attempt) => {
            const before = failures + attempt - 1;
            return before === 0 ? 0 : backoffDelay(restart, before, 0);
          },
          signal: stopping.signal,
          onFailure: ({ message }) => complain(`${name} cannot be started: ${message}`),
        });
      } catch {
        return;
      }
      log.info(`${name} is running again`);
    }
  }
}

interface Launching {
  readonly dir: string;
  readonly token: string;
  readonly kind: ServerKind;
  /** Receives the errors that the server itself logs. */
  readonly complain: (message: string) => void;
  /** Called with each process as soon as it has been started. */
  readonly onStart: (child: SupervisedChild) => void;
  /** When aborted, the server stops and is not restarted. */
  readonly signal: AbortSignal;
}

interface RunningServer {
  readonly child: SupervisedChild;
  readonly port: number;
}

/** Starts one server process and waits until it announces the port that it listens on. */
async function launch(
  { dir, token, kind, complain, onStart, signal }: Launching,
  port: number,
): Promise<RunningServer> {
  for (const file of await readdir(dir)) if (file.endsWith('.ports')) await rm(join(dir, file));
  const configFile = join(dir, 'nats-server.conf');
  await writeFile(configFile, serverConfig(dir, port, kind), { mode: 0o600 });
  signal.throwIfAborted();
  const report = (message: string) => {
    if (!kind.usualErrors?.test(message)) complain(`${kind.name}: ${message}`);
  };
  const child = new SupervisedChild({
    start: () => spawnServer(configFile, token, report),
    readyMs: readyDeadlineMs,
    askToStop: (running) => running.kill('SIGINT'),
    stopMs: stopDeadlinesMs.natsServerExit,
    orphanMs,
  });
  onStart(child);
  const stop = () => void child.stop();
  signal.addEventListener('abort', stop, { once: true });
  void child.ended.then(() => signal.removeEventListener('abort', stop));
  const announced = await announcedPort(dir, child);
  if (typeof announced !== 'number')
    throw new NatsServerError(announced.lastLine || `nats-server ${announced.how}`);
  if (port !== -1 && announced !== port) {
    // Every client dials the old port for ever.
    child.kill();
    throw new NatsServerError(`it listens on port ${announced} instead of ${port}`);
  }
  child.markReady();
  return { child, port: announced };
}

function spawnServer(configFile: string, token: string, complain: Launching['complain']): ChildProcess {
  // With pdeathsig the server shuts down in order when main ends, however main ends. The kernel ties it to the thread that
  // spawns, so this must run on the main thread. `detached` gives it a session of its own, which a terminal's Ctrl-C does
  // not reach.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'nats-server', '-c', configFile], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, SENTRYBUS_BUS_TOKEN: token },
  });
  child.stderr.on('data', (text: Buffer | string) => {
    for (const [, message = ''] of String(text).matchAll(/\[(?:ERR|FTL)\] (.*)/g)) complain(message);
  });
  return child;
}

/** Polls until the server has written its port to a file, or has ended. */
async function announcedPort(dir: string, child: SupervisedChild): Promise<number | ChildEnd> {
  let end: ChildEnd | undefined;
  void child.ended.then((ended) => {
    end = ended;
  });
  const file = join(dir, `nats-server_${child.pid}.ports`);
  while (!end) {
    const port = /:(\d+)"/.exec(await readFile(file, 'utf8').catch(() => ''))?.[1];
    if (port) return Number(port);
    await sleep(5);
  }
  return end;
}

function serverConfig(dir: string, port: number, { config }: ServerKind): string {
  return `
port: ${port}
ports_file_dir: ${JSON.stringify(dir)}
pid_file: ${JSON.stringify(pidFile(dir))}
logtime: false
${config(dir)}`;
}

const pidFile = (dir: string) => join(dir, 'nats-server.pid');

/**
 * Waits for the server of a main process that was killed, which outlives it for a moment: two servers on one folder would
 * corrupt its streams.
 */
async function endLeftover(dir: string): Promise<void> {
  const pid = Number(await readFile(pidFile(dir), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return;
  const isOurs = async () =>
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(join(dir, 'nats-server.conf'));
  for (const end = Date.now() + stopDeadlinesMs.natsServerExit; await isOurs(); await sleep(10)) {
    if (Date.now() > end) process.kill(pid, 'SIGKILL');
  }
}

/** Drops a message that equals the last one, so that an error that lasts for days is logged once. */
function onlyNews(say: (message: string) => void): (message: string) => void {
  let last = '';
  return (message) => {
    if (message !== last) say(message);
    last = message;
  };
}
