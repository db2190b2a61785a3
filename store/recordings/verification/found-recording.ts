import { truncate } from 'node:fs/promises';
import type { RecordingReport } from '../../../bus/messages.ts';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import { mayGrow, type OpenRecording, type RecordingFiles } from '../files/recording-files.ts';
import { beginIndex, extendIndex, findFirstFragment } from '../fragments/fragment-index.ts';
import { readHeaders } from '../fragments/header-reader.ts';
import { findLastFragment } from '../fragments/last-fragment.ts';
import { isCutOff } from './recording-check.ts';
import { type RecordingContent, streamsIn } from './recording-content.ts';

/** What the catalogue has of a recording whose writer was killed. */
export interface CutOffRecording {
  /** When it began, Unix time in microseconds. */
  readonly start: number;
}

/**
 * Milliseconds after which a file whose writer was killed is complete: a process whose main process has died lives for four
 * seconds at most.
 */
export const lastWriteMs = 10_000;

/**
 * The report of a recording of which there is only a file, or less in the catalogue than in its file. A fragment at its end
 * that is not whole is cut off: a kill leaves one if it comes between two pages of a write.
 *
 * @param known what the catalogue has of it. Otherwise its file says when it began; of older ones only the name does, to the
 * second.
 * @returns undefined if there is no such file; `growing` if somebody may be writing it.
 * @throws errors of the file system.
 */
export async function reportOfFile(
  files: RecordingFiles,
  id: string,
  known: CutOffRecording | undefined,
): Promise<RecordingReport | 'growing' | undefined> {
  const name = parseRecordingID(id);
  const recording = name && (await files.open(id));
  if (!recording) return undefined;
  try {
    if (mayGrow(recording, known && lastWriteMs)) return 'growing';
    const { bytes: size, modifiedMs } = recording;
    const content = await readContent(recording);
    const start = known?.start ?? content?.startUs ?? name.startMs * 1000;
    const isCut = content && content.end < size && (await isCutOff(recording.handle, content.end, size));
    const path = files.companion(id, 'mp4');
    // On a disk that cannot be written to it stays as it is.
    const isMended =
      isCut &&
      path &&
      (await truncate(path, content.end).then(
        () => true,
        () => false,
      ));
    const common = { id, monitorID: name.monitorID, start, bytes: isMended ? content.end : size };
    if (content) {
      const { lengthUs, streams } = content;
      return { ...common, state: 'found', end: start + lengthUs, streams: [...streams], reason: '' };
    }
    const end = Math.max(start, Math.round(modifiedMs * 1000));
    return { ...common, state: 'found', end, streams: [], reason: 'the file cannot be read' };
  } finally {
    await recording.handle.close();
  }
}

/** From its beginning and its end; all times in a file begin at 0. */
async function readContent({
  handle,
  bytes,
}: OpenRecording): Promise<(RecordingContent & { readonly end: number }) | undefined> {
  const begun = await beginIndex(handle, bytes);
  if (!begun) return undefined;
  const last =
    (await findLastFragment(handle, bytes, begun)) ??
    (await extendIndex(readHeaders(handle), bytes, begun)).fragments.at(-1);
  if (!last) return undefined;
  const ticks = last.decodeTime + last.duration;
  return {
    startUs: (await findFirstFragment(handle, bytes, begun))?.timeUs,
    lengthUs: Math.round((ticks * 1e6) / begun.movie.video.ticksPerSecond),
    streams: streamsIn(begun.movie),
    end: last.offset + last.bytes,
  };
}
