import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MachineClock } from '../../bus/base/machine-clock.ts';
import { Logger } from '../../bus/logging/logger.ts';
import type { LogEntry, RecordingReport } from '../../bus/messages.ts';
import type { MediaFragment } from '../../pipelines/mp4/media-fragment.ts';
import { movieFragment } from '../../pipelines/mp4/movie-fragment.ts';
import type { TimedFragment } from '../../pipelines/recording/preroll.ts';
import { Recorder, type RecorderOptions } from '../../pipelines/recording/recorder.ts';
import { temporaryFolder } from './folder.ts';
import { fragmentsOf } from './recorded.ts';
import { mediaPackets, videoPackets } from './rtp.ts';

/** The recorder of one pipeline, without the pipeline, and the video for it; a whole recorder is in `recorder.ts`. */

export const second = 1_000_000;
/** 2026-11-23 03:40:12.5 UTC */
export const began = Date.UTC(2026, 10, 23, 3, 40, 12, 500) * 1000;

const machine = new MachineClock().start;

/** Is there once `makeVideo` has made it. */
export let video: MediaFragment[];

/** 40 s at 10 frames/s, a key frame every 2 s, fragments of a second. For `beforeAll`. */
export async function makeVideo(): Promise<void> {
  video = fragmentsOf({
    video: mediaPackets(await videoPackets('h264', { frames: 400, keyFrameEvery: 20 })),
  });
}

/** The fragments as if the first picture had been taken then. */
export const timed = (from = began): TimedFragment[] =>
  video.map((fragment) => {
    const time = from + fragment.startUs - (video[0]?.startUs ?? 0);
    return { ...fragment, time, endTime: time + fragment.lengthUs };
  });

/** What a fragment takes in a file. */
export const bytesOf = (fragment: MediaFragment): number =>
  movieFragment(fragment, 1, 0, { timeUs: 0, machine }).reduce((sum, { length }) => sum + length, 0);

/** The same fragment, so much later on the media's line of time. */
export const moved = (fragment: TimedFragment, seconds: number): TimedFragment => ({
  ...fragment,
  startUs: fragment.startUs + seconds * second,
  video: fragment.video.map((sample) => ({ ...sample, decodeTime: sample.decodeTime + seconds * 90_000 })),
});

/** It records what is pushed into it; all that it tells is kept. */
export async function startRecorder(options: Partial<RecorderOptions> = {}) {
  const recordingsDir = options.recordingsDir ?? join(await temporaryFolder(), 'recordings');
  const entries: LogEntry[] = [];
  const reports: (string | null)[] = [];
  const facts: RecordingReport[] = [];
  const troubles: (string | null)[] = [];
  const recorder = new Recorder({
    recordingsDir,
    monitorID: 'door',
    stream: 'main',
    maxWaitMs: 400,
    alwaysRecord: false,
    videoLength: 3600_000,
    eventsLateMs: 2000,
    clock: { offsetUs: 0, leadUs: 0, machine },
    log: new Logger((entry) => entries.push(entry)).source('recorder'),
    onReport: (report) => facts.push(report),
    onRecording: (file) => reports.push(file),
    onTrouble: (text) => troubles.push(text),
    ...options,
  });
  const messages = () => entries.map(({ level, msg }) => `${level}: ${msg}`);
  return { recorder, recordingsDir, reports, facts, troubles, messages };
}

/** Every file below a folder, sorted. */
export async function files(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
