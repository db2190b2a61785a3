import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { BusAddress } from './bus.ts';

/** The embedded nats-server could not be started. */
export class NatsServerError extends Error {
  override readonly name = 'BusServerError';
  readonly code = 'bus_server_failed';
}

export interface NatsServer {
  readonly address: BusAddress;
  /** Changes when the server has been restarted. */
  readonly pid: number;
  /** Ends the process, which is then started again like one that ended by itself. */
  restart(): void;
  /** Ends the server; its streams stay on disk. Safe to call twice. */
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** The server's own folder: configuration, streams. */
  readonly dir: string;
  readonly log: Log;
}

const readyDeadlineMs = 10_000;
const stopDeadlineMs = 3000;
const restartPausesMs = [0, 100, 500, 2000, 5000];

/**
 * Starts nats-server on a free loopback port with a random token, and starts it again on the same port with the
 * same token whenever it ends by itself, so that every client finds it again without being told.
 *
 * @throws {NatsServerError} when it is not installed or not ready within ten seconds.
 */
export async function startNatsServer({ dir, log }: NatsServerOptions): Promise<NatsServer> {
  // A letter first: nats-server reads a value that begins with a digit as a number.
  const token = `t${randomBytes(24).toString('hex')}`;
  await mkdir(dir, { recursive: true, mode: 0o750 });
  await endLeftover(dir);

  let stopping = false;
  const complain = onlyNews((message) => log.error(message));
  const launching = { dir, token, complain };
  let { child, port } = await launch(launching, -1);
  supervise(child);
  return {
    address: { servers: [`127.0.0.1:${port}`], token },
    get pid() {
      return child.pid ?? 0;
    },
    restart: () => void child.kill('SIGKILL'),
    async stop() {
      stopping = true;
      await end(child);
    },
  };

  function supervise(running: ChildProcess): void {
    running.once('exit', (code, signal) => {
      if (stopping) return;
      log.error(`nats-server ended (${signal ?? `code ${code}`}), starting it again`);
      void restart();
    });
  }

  async function restart(): Promise<void> {
    for (let attempt = 0; !stopping; attempt += 1) {
      await sleep(restartPausesMs[Math.min(attempt, restartPausesMs.length - 1)]);
      try {
        const next = await launch(launching, port);
        child = next.child;
        port = next.port;
        if (stopping) return void (await end(child));
        supervise(child);
        log.info('nats-server is back');
        return;
      } catch (error) {
        complain(`nats-server cannot be started: ${(error as Error).message}`);
      }
    }
  }
}

interface Launching {
  readonly dir: string;
  readonly token: string;
  /** Hears what the server itself complains of. */
  readonly complain: (message: string) => void;
}

/** Starts one server process and waits until it says which port it listens on. */
async function launch(
  { dir, token, complain }: Launching,
  port: number,
): Promise<{ child: ChildProcess; port: number }> {
  for (const file of await readdir(dir)) if (file.endsWith('.ports')) await rm(join(dir, file));
  const configFile = join(dir, 'nats-server.conf');
  await writeFile(configFile, serverConfig(dir, port), { mode: 0o600 });

  // pdeathsig: the server never outlives main, however main ends. The kernel ties it to the thread that spawns,
  // so this must run on the main thread. A session of its own keeps a terminal's Ctrl-C away from it.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'nats-server', '-c', configFile], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, SENTRYBUS_BUS_TOKEN: token },
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
    for (const [, message = ''] of text.matchAll(/\[(?:ERR|FTL)\] (.*)/g))
      complain(`nats-server: ${message}`);
  });
  const exited = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new NatsServerError('nats-server cannot be run', { cause })));
    child.once('exit', () => reject(new NatsServerError(lastLine(output) || 'nats-server ended at once')));
  });
  exited.catch(() => {});
  try {
    return { child, port: await Promise.race([announcedPort(dir, child), exited]) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function announcedPort(dir: string, child: ChildProcess): Promise<number> {
  const file = join(dir, `nats-server_${child.pid}.ports`);
  for (const end = Date.now() + readyDeadlineMs; Date.now() < end; await sleep(5)) {
    if (child.exitCode !== null) break;
    if (!existsSync(file)) continue;
    const port = /:(\d+)"/.exec(await readFile(file, 'utf8'))?.[1];
    if (port) return Number(port);
  }
  throw new NatsServerError(`nats-server was not ready within ${readyDeadlineMs / 1000} s`);
}

function serverConfig(dir: string, port: number): string {
  return `
host: "127.0.0.1"
port: ${port}
ports_file_dir: ${JSON.stringify(dir)}
pid_file: ${JSON.stringify(pidFile(dir))}
authorization { token: $SENTRYBUS_BUS_TOKEN }
# Not a share of what is free: on a disk that recordings fill, the streams would not fit in one day.
jetstream { store_dir: ${JSON.stringify(dir)}, max_file_store: 2GB }
max_payload: 8MB
# A subscriber that does not read is cut off before it can hold up the others.
max_pending: 16MB
write_deadline: "2s"
logtime: false
`;
}

const pidFile = (dir: string) => join(dir, 'nats-server.pid');

/**
 * A main that was killed leaves its server a moment longer than itself. Two servers on one folder would ruin its
 * streams, so the leftover is waited for.
 */
async function endLeftover(dir: string): Promise<void> {
  const pid = Number(await readFile(pidFile(dir), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return;
  const isOurs = async () =>
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(join(dir, 'nats-server.conf'));
  for (const end = Date.now() + stopDeadlineMs; await isOurs(); await sleep(10)) {
    if (Date.now() > end) process.kill(pid, 'SIGKILL');
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGINT');
  const force = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await gone;
  clearTimeout(force);
}

/** Passes on what differs from the last message, so that what goes on for days is said once. */
function onlyNews(say: (message: string) => void): (message: string) => void {
  let last = '';
  return (message) => {
    if (message !== last) say(message);
    last = message;
  };
}

const lastLine = (output: string) => output.trim().split('\n').at(-1) ?? '';
