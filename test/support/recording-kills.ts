import { readdir, readFile, rm, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bus } from '../../bus/nats/bus.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import { checkArchive } from '../../store/recordings/verification/archive-check.ts';
import { askOverBus } from '../../store/recordings/verification/catalogue-questions.ts';
import { atEnd } from './cleanup.ts';
import { rtspMonitor } from './monitors.ts';
import { type NumberedCamera, numbersIn, startNumberedCamera } from './numbered-camera.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { probe, recordingsIn } from './recordings.ts';
import { seeded } from './seeded.ts';
import { waitFor } from './wait.ts';

/** Seconds of a recording until it is cut, so that files begin and end all the time. */
const fileSeconds = 4;
/** A machine with other work. */
const startDeadlineMs = 180_000;
const monitorIDs = ['one', 'two'] as const;
const keyFrameEvery = { one: 10, two: 30 } as const;

export interface NumberedRecorder {
  readonly recorder: Recorder;
  readonly cameras: readonly NumberedCamera[];
}

/** A recorder of two cameras with numbered pictures: key frames every second, and every three. */
export async function startNumberedRecorder(
  config: Readonly<Record<string, unknown>> = {},
): Promise<NumberedRecorder> {
  const cameras: NumberedCamera[] = [];
  for (const [index, id] of monitorIDs.entries()) {
    cameras.push(await startNumberedCamera({ index: index + 1, keyFrameEvery: keyFrameEvery[id] }));
  }
  const monitors = monitorIDs.map((id, index) =>
    rtspMonitor(id, [cameras[index]?.url() ?? ''], { alwaysRecord: true, videoLength: fileSeconds / 60 }),
  );
  return { recorder: await startRecorder({ config, monitors, startDeadlineMs }), cameras };
}

export interface Kills {
  readonly count: number;
  /** Milliseconds from one to the next, on average. */
  readonly pauseMs: number;
  /** The part that hits main. */
  readonly main: number;
  readonly seed: number;
}

/**
 * Kills a monitor's pipeline or main (`kill -9`) at random moments; main is started again, as a service manager would.
 *
 * @returns the recorder that runs at last, how often each was killed, and the longest start of main.
 */
export async function killRecorder(first: Recorder, { count, pauseMs, main, seed }: Kills) {
  const random = seeded(seed);
  const killed = { main: 0, pipeline: 0 };
  let [recorder, longestStartMs] = [first, 0];
  while (killed.main + killed.pipeline < count) {
    await sleep(random() * 2 * pauseMs);
    if (random() < main) {
      await recorder.kill();
      killed.main += 1;
      const began = performance.now();
      recorder = await recorder.restart();
      longestStartMs = Math.max(longestStartMs, performance.now() - began);
      continue;
    }
    const pipelines = recorder.children(/host\/pipeline-host/);
    const victim = pipelines[Math.floor(random() * pipelines.length)];
    if (victim === undefined) continue;
    process.kill(victim, 'SIGKILL');
    killed.pipeline += 1;
  }
  return { recorder, killed, longestStartMs };
}

export interface NumberedArchive {
  readonly files: number;
  readonly pictures: number;
  /** By the path of each file. */
  readonly picturesOf: ReadonlyMap<string, number>;
  /** One line each: files that do not play, pictures that are there twice, or missing between others. */
  readonly faults: string[];
  /** Of each connection that ended: the age of its oldest picture that is not on disk, when it ended. Milliseconds. */
  readonly agesMs: readonly number[];
}

/**
 * Reads what a stopped recorder has recorded, with ffprobe, and compares it with what its cameras sent.
 *
 * @param isLoss whether pictures of this moment, Unix time in milliseconds, may be missing.
 */
export async function readNumberedArchive(
  { recorder, cameras }: NumberedRecorder,
  isLoss: (sentMs: number) => boolean = () => false,
): Promise<NumberedArchive> {
  const faults: string[] = [];
  const present = new Map<number, Set<number>>();
  const files = await recordingsIn(recorder.recordings);
  const picturesOf = new Map<string, number>();
  let pictures = 0;
  for (const file of files) {
    const [{ complaints, frames }, data] = await Promise.all([probe(file), readFile(file)]);
    const numbers = numbersIn(data);
    const name = basename(file);
    pictures += frames;
    picturesOf.set(file, frames);
    if (complaints !== '') faults.push(`${name}: ${complaints.trim()}`);
    if (frames !== numbers.length)
      faults.push(`${name}: ffprobe finds ${frames} of ${numbers.length} pictures`);
    for (const [connection, number] of numbers) {
      const known = present.get(connection) ?? new Set();
      if (known.has(number)) faults.push(`${name}: picture ${number} of ${connection} once more`);
      present.set(connection, known.add(number));
    }
  }
  for (const name of await readdir(recorder.recordings)) {
    if (name.endsWith('.part')) faults.push(`${name} is left`);
  }
  const agesMs: number[] = [];
  for (const { number, sentMs, endMs } of cameras.flatMap(({ connections }) => connections)) {
    const known = present.get(number) ?? new Set();
    const missing = sentMs.flatMap((atMs, n) => (known.has(n) || isLoss(atMs) ? [] : [n]));
    const [first] = missing;
    const last = Math.max(-1, ...known);
    const inside = missing.filter((n) => n < last);
    if (inside.length > 0)
      faults.push(`connection ${number} has not ${inside.slice(0, 20).join()} of ${sentMs.length} pictures`);
    const age = first === undefined ? 0 : endMs - (sentMs[first] ?? endMs);
    if (sentMs.length > 0) agesMs.push(Math.max(0, age));
  }
  return { files: files.length, pictures, picturesOf, faults, agesMs };
}

/** Starts a stopped recorder again, without its cameras, and lists what its catalogue and its folder disagree about. */
export async function catalogueFaults(stopped: Recorder): Promise<string[]> {
  const monitorsDir = join(stopped.folder, 'configs', 'monitors');
  await rm(monitorsDir, { recursive: true });
  const old = Date.now() / 1000 - 600;
  for (const file of await recordingsIn(stopped.recordings)) await utimes(file, old, old);
  const recorder = await stopped.restart();
  const isComplete = async () =>
    (await recorder.fetch('/api/recording/query?limit=1')).headers.get('x-catalogue-incomplete') === null;
  await waitFor(isComplete, 60_000, 'the catalogue');
  const address = await readBusAddress(join(stopped.folder, 'storage', 'bus'));
  if (!address) throw new Error('there is no bus');
  const bus = await Bus.connect(address, 'test');
  atEnd(() => bus.close());
  const { recordings: recordingsDir } = stopped;
  const files = new RecordingFiles(recordingsDir);
  const found: string[] = [];
  for await (const { findings } of checkArchive({
    recordingsDir,
    files,
    ask: askOverBus(bus),
    isRunning: false,
  })) {
    found.push(...findings.map(({ id, text }) => `${id} ${text}`));
  }
  await recorder.stop();
  return found;
}
