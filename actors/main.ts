import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { createActor, toPromise } from 'xstate';
import { ensureFolder } from '../bus/base/files.ts';
import { endProcess } from '../bus/children/process-end.ts';
import { stopDeadlinesMs } from '../bus/children/stop-deadlines.ts';
import { logClockSteps } from '../bus/logging/clock-log.ts';
import { Logger } from '../bus/logging/logger.ts';
import { ServiceState } from '../bus/systemd/service-state.ts';
import { Accounts } from '../store/accounts/accounts.ts';
import { finishRestore } from '../store/backup/restore-journal.ts';
import { loadConfig } from '../store/config/config.ts';
import { defaultConfigFile } from '../store/config/default-config.ts';
import { Monitors } from '../store/monitors/monitors.ts';
import { BufferMemory } from './base/buffer-memory.ts';
import { detectors } from './detectors/host/detector-list.ts';
import type { StoredState } from './services.ts';
import { logSettings } from './settings.ts';
import { reloadFiles } from './startup/file-reload.ts';
import { makeAdmin, makeDemo } from './startup/first-start.ts';
import { lockFolder } from './startup/folder-lock.ts';
import { openStorage } from './startup/storage-mark.ts';
import { stateInspector } from './state-log.ts';
import { wireSystem } from './wiring.ts';

const usage = 'usage: npm start -- [--config FILE] [--new-storage | --tie-breaker | --new-cluster]';

/**
 * Runs the recorder until a stop is requested, then ends the process: with 0 if everything was closed in order, with 1
 * otherwise, or by SIGKILL if a thread hangs.
 *
 * @param args the command line after the program's name.
 */
export async function runRecorder(args: readonly string[]): Promise<void> {
  // Whatever it writes, by itself or through DuckDB and nats-server, is for the owner and the group only.
  process.umask(process.umask() | 0o027);
  try {
    const options = readArguments(args);
    if (options['new-cluster'] || options['tie-breaker']) await runClusterCommand(options);
    else await prepareAndRun(options);
    endProcess(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    endProcess(1);
  }
}

async function prepareAndRun(options: StartOptions): Promise<void> {
  const failure = await run(await prepare(options));
  if (failure) throw failure;
}

/** Loaded only where there is a cluster. */
async function runClusterCommand(options: StartOptions): Promise<void> {
  const { printNewCluster, runTieBreaker } = await import('./cluster/tie-breaker.ts');
  if (options['new-cluster']) printNewCluster();
  else await runTieBreaker(options.config ?? defaultConfigFile, lockFolder);
}

/** Reads all files before anything is started, so that errors in them are found first. */
async function prepare({ config: given, 'new-storage': isNew = false }: StartOptions): Promise<StoredState> {
  const isRestored = await finishRestore(given ?? defaultConfigFile, lockFolder);
  if (isRestored) process.stdout.write('Finished the restore that was interrupted\n');
  // A mistyped name must not start a second recorder.
  const { config, created } = await loadConfig(given ?? defaultConfigFile, {
    create: given === undefined,
    detectors,
  });
  if (created) process.stdout.write(`Wrote ${config.file}\n`);
  await ensureFolder(config.configDir);
  await lockFolder(config.configDir);
  await openStorage({ ...config, isNew });
  await lockFolder(config.storageDir);

  const accounts = await Accounts.open(config.configDir);
  const login = await makeAdmin(accounts, process.env['SENTRYBUS_ADMIN_PASSWORD']);
  if (login) {
    process.stdout.write(`\n  Log in as ${login.username} with the password ${login.password}\n\n`);
  }
  const monitors = await Monitors.open(config.configDir, { detectors, mediaDir: config.mediaDir });
  if (created) await makeDemo(monitors);
  return { config, accounts, monitors, detectors };
}

interface StartOptions {
  readonly config?: string;
  readonly 'new-storage'?: boolean;
  readonly 'new-cluster'?: boolean;
  readonly 'tie-breaker'?: boolean;
}

function readArguments(args: readonly string[]): StartOptions {
  try {
    const flag = { type: 'boolean' } as const;
    const options = {
      config: { type: 'string' },
      ...{ 'new-storage': flag, 'new-cluster': flag, 'tie-breaker': flag },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${usage}`, { cause });
  }
}

/** @returns the error if the recorder failed. */
async function run(stored: StoredState): Promise<unknown> {
  const { config, accounts, monitors } = stored;
  const logger = new Logger();
  logger.configure(logSettings(config));
  const log = logger.source('app');
  for (const warning of [...config.warnings, ...accounts.warnings]) log.warning(warning);
  for (const { file, monitorID, error } of monitors.broken) log.error(`${file}: ${error}`, monitorID);
  logClockSteps(log);
  if (config.auth === 'none') log.warning('auth_none is enabled: every client has admin access');

  const service = new ServiceState(process.env);
  const { machine, services } = wireSystem(stored, logger, ({ url }) => {
    log.info(`serving ${url}`);
    process.stdout.write(`Serving ${url}\n`);
    service.ready(`Serving ${url}`);
  });
  new BufferMemory().start();
  const system = createActor(machine, { input: { services }, inspect: stateInspector(log) });
  const stop = () => {
    service.stopping();
    system.send({ type: 'stop' });
    setTimeout(() => endProcess(1), stopDeadlinesMs.recorder).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  // Without a terminal that could be closed, also under nohup, whose "ignore" Node.js takes back at its start.
  const hasTerminal = [0, 1, 2].some(isatty);
  const reload = async () => {
    await reloadFiles(stored, log);
    logger.configure(logSettings(config));
    system.send({ type: 'reconcile' });
  };
  process.on('SIGHUP', hasTerminal ? stop : () => void reload());
  system.start();
  const { failure } = await toPromise(system);
  return failure;
}
