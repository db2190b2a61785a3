import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MachineStart } from '../../bus/base/machine-clock.ts';
import type { RecordingReport } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { Outbox } from '../../bus/nats/outbox.ts';
import { formatRecordingID, type RecordedStream } from '../../bus/recording-id.ts';
import { recordings } from '../../bus/subjects.ts';
import { streamsOf } from '../../pipelines/mp4/init-segment.ts';
import type { MediaFragment } from '../../pipelines/mp4/media-fragment.ts';
import { fileBytes } from './recorded.ts';

/** Recordings in a folder and in the catalogue, without a recorder. */

export const second = 1_000_000;
/** 2026-11-23 03:40:12.5 UTC */
export const began = Date.UTC(2026, 10, 23, 3, 40, 12, 500) * 1000;

export interface Footage {
  readonly monitorID?: string;
  readonly stream?: RecordedStream;
  /** When its first frame was taken: Unix time in microseconds. */
  readonly start: number;
  readonly fragments: readonly MediaFragment[];
  /** See {@link fileBytes}. */
  readonly timeOf?: (fragment: MediaFragment) => number;
  readonly machine?: MachineStart;
  readonly state?: RecordingReport['state'];
  readonly reason?: string;
}

/** Writes a recording's file and reports it. @returns its id. */
export async function addFootage(
  { bus, recordingsDir }: { readonly bus: Bus; readonly recordingsDir: string },
  footage: Footage,
): Promise<string> {
  const { monitorID = 'door', stream = 'main', start, fragments, state = 'saved', reason = '' } = footage;
  const id = formatRecordingID({ startMs: Math.floor(start / second) * 1000, monitorID, stream });
  const path = pathOf(recordingsDir, id, monitorID);
  const data = fileBytes(fragments, footage.timeOf, footage.machine);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
  const lengthUs = fragments.reduce((sum, fragment) => sum + fragment.lengthUs, 0);
  const streams = fragments[0] ? streamsOf(fragments[0].layout) : [];
  const end = Math.round(start + lengthUs);
  await report(bus, { id, monitorID, state, start, end, bytes: data.length, streams, reason });
  return id;
}

export const pathOf = (recordingsDir: string, id: string, monitorID = 'door'): string =>
  join(recordingsDir, ...id.slice(0, 10).split('-'), monitorID, `${id}.mp4`);

export async function report(bus: Bus, message: RecordingReport): Promise<void> {
  const outbox = new Outbox(10, () => {});
  outbox.attach(bus);
  outbox.add(recordings, [message.monitorID], message);
  await outbox.flush(5000);
}
