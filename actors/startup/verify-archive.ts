import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { LogArchive } from '../../store/log/export/log-archive.ts';
import { logFileName } from '../../store/log/log-file.ts';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import {
  type CheckedArchive,
  checkArchive,
  type Finding,
} from '../../store/recordings/verification/archive-check.ts';
import { askEntries, askOverBus } from '../../store/recordings/verification/catalogue-questions.ts';
import { CatalogueRepair } from '../../store/recordings/verification/catalogue-repair.ts';
import { detectors } from '../detectors/host/detector-list.ts';

const usage = `usage: npm run verify -- [--config FILE] [--repair]

Reads every recording to its end, whether the recorder runs or not, and reports those that do not play, that have gaps, that
overlap others of their stream, or that the catalogue does not know as they are: a line for each. Exit code 0: nothing was found.

  --repair  makes the catalogue agree with the folder: adds recordings, and removes those without a file. It needs the
            running recorder, which alone writes the catalogue. Files are never changed.`;

const progressIntervalMs = 5000;
/** More than a catalogue can hold. */
const allRecordings = 10_000_000;

/**
 * @param args the command line after the program's name.
 * @returns the exit code: 0 if nothing was found, or everything was repaired; 1 otherwise.
 */
export async function verifyArchive(args: readonly string[]): Promise<number> {
  let bus: Bus | undefined;
  try {
    const { file, isRepair } = read(args);
    const { config } = await loadConfig(file, { create: false, detectors });
    const entries = await readCatalogue(config).catch(async (error: Error) => {
      bus = await connect(config);
      if (!bus) throw error;
      return undefined;
    });
    if (isRepair && !bus)
      throw new Error(
        '--repair needs the running recorder, which alone writes the catalogue: npm start, then try again',
      );
    const recordingsDir = join(config.storageDir, 'recordings');
    const files = new RecordingFiles(recordingsDir);
    const ask = bus ? askOverBus(bus) : askEntries(entries ?? []);
    const archive = { recordingsDir, files, ask, isRunning: bus !== undefined };
    const { findings, recordings } = await check(archive);
    if (!isRepair || !bus) return findings.length > 0 ? 1 : 0;
    // Otherwise a disk that is not mounted would empty the catalogue.
    if (recordings === 0 && findings.length > 0)
      throw new Error(`nothing was repaired: ${recordingsDir} has no recordings. Is its disk mounted?`);
    return (await repair(bus, archive, findings)) < findings.length ? 1 : 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  } finally {
    await bus?.close();
  }
}

function read(args: readonly string[]): { file: string; isRepair: boolean } {
  try {
    const options = { config: { type: 'string' }, repair: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { file: values.config ?? defaultConfigFile, isRepair: values.repair ?? false };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

/** @throws if a recorder has the file open, or it cannot be read. */
async function readCatalogue({ storageDir }: Config) {
  const log = await LogArchive.open(join(storageDir, logFileName));
  try {
    return await log.recordings({ limit: allRecordings, oldestFirst: true });
  } finally {
    await log.close();
  }
}

/** @returns undefined if no recorder of this user runs. */
async function connect({ bus, storageDir }: Config): Promise<Bus | undefined> {
  const address = bus.servers.length > 0 ? bus : await readBusAddress(join(storageDir, 'bus'));
  return address && Bus.connect(address, 'verify');
}

async function check(archive: CheckedArchive): Promise<{ findings: Finding[]; recordings: number }> {
  const all: Finding[] = [];
  let [recordings, bytes] = [0, 0];
  const size = () => `${recordings} recordings (${(bytes / 1e9).toFixed(1)} GB)`;
  const timer = setInterval(() => process.stderr.write(`Read ${size()}\n`), progressIntervalMs);
  try {
    for await (const { hasFile, bytes: more, findings } of checkArchive(archive)) {
      if (hasFile) recordings += 1;
      bytes += more;
      for (const finding of findings) process.stdout.write(`${finding.id} ${finding.text}\n`);
      all.push(...findings);
    }
  } finally {
    clearInterval(timer);
  }
  process.stdout.write(`${size()}: ${all.length === 0 ? 'nothing found' : `${all.length} findings`}\n`);
  return { findings: all, recordings };
}

/** @returns how many findings are gone. */
async function repair(bus: Bus, archive: CheckedArchive, findings: readonly Finding[]): Promise<number> {
  const changes = new CatalogueRepair(bus);
  for (const { id, repair: change } of findings) if (change) await changes.add(id, change);
  await changes.flush();
  let count = 0;
  for (const { id, repair: change } of findings) {
    if (!change) continue;
    const [row] = await archive.ask({ id, limit: 1 });
    const isDone = change.isGone ? row === undefined : row?.bytes === change.bytes;
    if (isDone) count += 1;
    else process.stdout.write(`${id} could not be repaired\n`);
  }
  process.stdout.write(`${count} of ${findings.length} findings repaired in the catalogue\n`);
  return count;
}
