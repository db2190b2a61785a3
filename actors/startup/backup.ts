import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { ensureStreams } from '../../bus/nats/jetstream.ts';
import { type NatsServer, startNatsServer } from '../../bus/nats/nats-server.ts';
import { questions } from '../../bus/subjects.ts';
import { BackupError, explained } from '../../store/backup/backup-error.ts';
import { type FinishedBackup, writeBackup } from '../../store/backup/backup-writer.ts';
import type { DatabaseOwner } from '../../store/backup/database-copy.ts';
import { foldersOf } from '../../store/backup/installation-files.ts';
import { finishRestore } from '../../store/backup/restore-journal.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { machineName } from '../../store/config/machine-name.ts';
import { logFileName } from '../../store/log/log-file.ts';
import { LogStore } from '../../store/log/log-store.ts';
import { projectFolder } from '../base/project-folder.ts';
import { runCommand } from '../base/system-commands.ts';
import { detectors } from '../detectors/host/detector-list.ts';
import { CopyProgress } from './copy-progress.ts';
import { giveAsFolder, writtenFiles } from './file-owner.ts';
import { lockFolder } from './folder-lock.ts';

const usage = `usage: npm run backup -- FOLDER [--config FILE]

Copies configuration, accounts, certificates and the database (log, events, catalogue of recordings) to FOLDER, a new folder,
whether the recorder runs or not. Recordings, snapshots and media files stay where they are.
npm run restore -- FOLDER puts the copy in place.`;

/** A running recorder may take 30 s to store what is on the bus. */
const answerMs = 60_000;

/**
 * Makes a backup.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 if the backup is complete, 1 otherwise; there is none then.
 */
export async function backUp(args: readonly string[]): Promise<number> {
  let bus: Bus | undefined;
  const progress = new CopyProgress('Copied');
  try {
    const { folder, file } = read(args);
    await finishRestore(file, lockFolder);
    const { config } = await loadConfig(file, { create: false, detectors });
    const database = join(config.storageDir, logFileName);
    if (!existsSync(database)) throw new BackupError(`${database} does not exist. Is its disk mounted?`);
    const isRunning = await lockFolder(config.storageDir, 0).then(
      () => false,
      () => true,
    );
    if (isRunning) bus = await connect(config);
    else await storeRest(config);
    const finished = await writeBackup({
      folder,
      folders: foldersOf(config),
      text: await readFile(config.file, 'utf8'),
      version: await version(),
      owner: bus ? ownerOver(bus) : { checkpoint: async () => {} },
      onProgress: (bytes, total) => progress.report(bytes, total),
      lock: (partial) => lockFolder(partial, 0),
    });
    process.stdout.write(summary(folder, finished));
    return 0;
  } catch (error) {
    process.stderr.write(`${explained(error).message}\n`);
    return 1;
  } finally {
    progress.end();
    await bus?.close();
  }
}

function read(args: readonly string[]): { folder: string; file: string } {
  try {
    const options = { config: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [folder, ...others] = positionals;
    if (folder === undefined || others.length > 0) throw new Error('expected one FOLDER');
    return { folder, file: values.config ?? defaultConfigFile };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

async function version(): Promise<string> {
  const file = join(projectFolder, 'package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

/** @throws if this user may not see the bus of the recorder that runs. */
async function connect({ bus, storageDir }: Config): Promise<Bus> {
  const address = bus.servers.length > 0 ? bus : await readBusAddress(join(storageDir, 'bus'));
  if (address) return Bus.connect(address, 'backup');
  throw new BackupError(
    `the recorder of ${storageDir} runs, and this user cannot reach it. If it is just starting, try again; otherwise run this as its user`,
  );
}

function ownerOver(bus: Bus): DatabaseOwner {
  return {
    async checkpoint(holdMs) {
      const asked = bus.ask(questions.checkpoint, { holdMs }, answerMs);
      const { isComplete } = await asked.catch((cause: Error) => {
        throw new BackupError('the recorder does not answer: if it is starting or stopping, try again', {
          cause,
        });
      });
      requireComplete(isComplete);
    },
  };
}

/** Stores what is on the bus of a recorder that does not run: its last entries, or more if it was killed. */
async function storeRest(config: Config): Promise<void> {
  const { storageDir, logs } = config;
  const machine = machineName(config.cluster);
  let server: NatsServer | undefined;
  let bus: Bus | undefined;
  let store: LogStore | undefined;
  const failures: Error[] = [];
  const log = { error: (text: string) => void failures.push(new BackupError(text)) };
  try {
    if (config.bus.servers.length === 0) {
      const silent = { ...log, debug() {}, info() {}, warning() {} };
      server = await startNatsServer({ dir: join(storageDir, 'bus'), log: silent });
    }
    const address = server?.address ?? config.bus;
    bus = await Bus.connect(address, 'backup');
    await ensureStreams(bus);
    const file = join(storageDir, logFileName);
    store = await LogStore.open({
      file,
      bus: address,
      machine,
      logs,
      onError: (error) => failures.push(error),
    });
    const { isComplete } = await store.checkpoint(0);
    requireComplete(isComplete);
  } finally {
    await store?.close();
    await bus?.close();
    await server?.stop();
    await giveAsFolder(runCommand, writtenFiles(foldersOf(config)));
  }
  const [failure] = failures;
  if (failure) throw failure;
  if (existsSync(join(storageDir, `${logFileName}.wal`)))
    throw new BackupError('the database could not be closed: start the recorder once, then try again');
}

function requireComplete(isComplete: boolean): void {
  if (isComplete) return;
  throw new BackupError(
    'the database is too far behind the bus: see the log of the recorder, and try again later',
  );
}

function summary(folder: string, { manifest, entries, events, recordings }: FinishedBackup): string {
  const { files, time } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return `${folder}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB, as of ${time}
${entries} log entries, ${events} events, ${recordings} recordings in the catalogue; read back and found whole
Recordings, snapshots and media files stay where they are. Passwords and keys are in it: keep it as safe as the recorder.
`;
}
