import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FramesCommand } from '../../bus/command-messages.ts';
import type { Frame } from '../../bus/frames.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { commands } from '../../bus/subjects.ts';
import { PipelinePool } from '../../pipelines/host/pipeline-pool.ts';
import type {
  PipelineEnd,
  PipelineReport,
  PipelineSession,
  VideoSource,
} from '../../pipelines/protocol/pipeline-protocol.ts';
import { silentLogger } from './bus.ts';
import { type Camera, type Mount, startCamera } from './camera.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { decode, picturesIn, probe } from './probe.ts';
import { commandLine, descendants } from './processes.ts';
import { waitFor } from './wait.ts';

/** A pipeline in its process, as main runs it, and what a test needs around it. */

export const second = 1_000_000;
export const patience = { timeout: 60_000 };
/** A bus that is not there. */
export const nowhere = { servers: ['127.0.0.1:1'] };

export interface Running {
  readonly reports: readonly PipelineReport[];
  readonly end: Promise<PipelineEnd>;
  readonly pid: number;
  stop(): Promise<PipelineEnd>;
  /** Waits for a report of this kind. */
  report<Type extends PipelineReport['type']>(type: Type): Promise<Extract<PipelineReport, { type: Type }>>;
  recordings(): Promise<string[]>;
}

/** It is stopped when the test is over. */
export async function start(source: VideoSource, options: Partial<PipelineSession> = {}): Promise<Running> {
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const reports: PipelineReport[] = [];
  const controller = new AbortController();
  const before = descendants(process.pid);
  const pool = new PipelinePool({ monitorsPerProcess: 1, log: silentLogger().source('recorder') });
  const end = pool.run(
    {
      monitorID: 'door',
      source,
      recordingsDir,
      alwaysRecord: true,
      videoLength: 3600_000,
      patienceMs: 10_000,
      maxPatienceMs: 60_000,
      recordSubStream: false,
      eventsLateMs: 2000,
      isSubDetected: false,
      bus: nowhere,
      log: { repeatLimit: 5, printDebug: false },
      ...options,
    },
    { signal: controller.signal, onReport: (report) => reports.push(report) },
  );
  const [pid = 0] = descendants(process.pid).filter(
    (each) => !before.includes(each) && commandLine(each).includes('host/pipeline-host.js'),
  );
  const stop = () => {
    controller.abort();
    return end;
  };
  atEnd(async () => void (await stop()));
  return {
    reports,
    end,
    pid,
    stop,
    report: async <Type extends PipelineReport['type']>(type: Type) => {
      const of = (wanted: PipelineReport['type']) => reports.find((report) => report.type === wanted);
      const found = await waitFor(() => of(type) ?? of('ended'), 20_000, `the report ${type}`);
      if (found.type !== type) throw new Error(`it ended instead: ${JSON.stringify(found)}`);
      return found as Extract<PipelineReport, { type: Type }>;
    },
    recordings: async () =>
      (await readdir(recordingsDir, { recursive: true }).catch(() => []))
        .filter((name) => name.endsWith('.mp4'))
        .sort()
        .map((name) => join(recordingsDir, name)),
  };
}

export const rtsp = (main: string, protocol: 'tcp' | 'udp' = 'tcp'): VideoSource => ({
  kind: 'rtsp',
  protocol,
  main,
});

export const oneMount = (mount: Mount, options = {}): Promise<Camera> =>
  startCamera({ mounts: { main: mount }, ...options });

/** The recording, once it holds some seconds. */
export async function recordingOf(running: Running, pictures = 20): Promise<string> {
  await running.report('recording');
  const [file = ''] = await running.recordings();
  await waitFor(async () => (await picturesIn(file)) >= pictures, 20_000, 'pictures in the file');
  return file;
}

/** Even steps from the first picture, a key frame, which is shown at once or not much later: nothing is missing. */
export async function expectWhole(file: string, step = 0.1, latestFirst = 0): Promise<number> {
  const { errors, packets } = await probe(file);
  expect(errors).toBe('');
  expect(packets[0]?.key).toBe(true);
  expect(packets[0]?.time).toBeGreaterThanOrEqual(0);
  expect(packets[0]?.time).toBeLessThanOrEqual(latestFirst);
  packets.slice(1).forEach(({ time }, index) => {
    expect(time - (packets[index]?.time ?? 0)).toBeLessThan(step * 1.8);
  });
  expect(await decode(file)).toEqual({ frames: packets.length, errors: '' });
  return packets.length;
}

/** Asks the detector host for frames, and goes on asking, as somebody else on the bus does. */
export function watch(bus: Bus, need: Partial<FramesCommand> = {}): Frame[] {
  const wanted = { format: 'gray', rate: 5, stream: 'main', ...need } as const;
  const frames: Frame[] = [];
  const end = bus.subscribeFrames('door', wanted.format, (frame) =>
    frames.push({ ...frame, data: frame.data.slice() }),
  );
  const ask = () => void bus.request(commands.frames, ['door'], wanted).catch(() => {});
  const timer = setInterval(ask, 500);
  ask();
  atEnd(async () => {
    clearInterval(timer);
    end();
  });
  return frames;
}
