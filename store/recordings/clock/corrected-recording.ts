import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fragmentTimeContent } from '../../../bus/fragment-time.ts';
import type { RecordingReport } from '../../../bus/messages.ts';
import { formatRecordingID, parseRecordingID } from '../../../bus/recording-id.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import {
  beginIndex,
  extendIndex,
  type FragmentIndex,
  findFirstFragment,
  type IndexedFragment,
} from '../fragments/fragment-index.ts';
import { readHeaders } from '../fragments/header-reader.ts';
import { contentOf } from '../verification/recording-content.ts';
import type { ClockCorrection } from './clock-correction.ts';

/** The name of a recording may differ by as much from its beginning: two began in one second. Microseconds. */
const maxNameErrorUs = 5_000_000;

/** The first fragment of a recording, which says when it was taken; undefined if there is none. @throws errors of the file system. */
export async function firstFragment(files: RecordingFiles, id: string): Promise<IndexedFragment | undefined> {
  const recording = await files.open(id);
  if (!recording) return undefined;
  const { handle, bytes } = recording;
  try {
    const begun = await beginIndex(handle, bytes);
    return begun && (await findFirstFragment(handle, bytes, begun));
  } finally {
    await handle.close();
  }
}

/** Whether a recording has a name of another time: a crash came between its correction and its new name. */
export function isMisnamed(id: string, first: IndexedFragment | undefined): boolean {
  const nameUs = (parseRecordingID(id)?.startMs ?? 0) * 1000;
  return first?.timeUs !== undefined && Math.abs(first.timeUs - nameUs) > maxNameErrorUs;
}

/**
 * Writes the true times into a recording that was made by a clock that was wrong, and gives it the name of its true beginning.
 * A crash leaves fragments of both kinds, each of which says by which clock it is: the rest can be corrected later.
 *
 * @param taken ids that it must not get.
 * @param before is called with the report before anything is changed, and waited for.
 * @returns the report of it under its new name; undefined if there is no such file.
 * @throws errors of the file system.
 */
export async function correctRecording(
  files: RecordingFiles,
  id: string,
  correction: ClockCorrection,
  taken: ReadonlySet<string>,
  before: (report: RecordingReport) => Promise<void> = async () => {},
): Promise<RecordingReport | undefined> {
  const name = parseRecordingID(id);
  // By its id alone: that leads to no link.
  const checked = name && (await files.open(id));
  await checked?.handle.close();
  const path = files.companion(id, 'mp4');
  if (!checked || path === undefined) return undefined;
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { bytes } = checked;
    const begun = await beginIndex(handle, bytes);
    const index = begun && (await extendIndex(readHeaders(handle), bytes, begun));
    if (!index) return undefined;
    const fragments = index.fragments.map((fragment) => corrected(fragment, correction));
    const { startUs = name.startMs * 1000, lengthUs, streams } = contentOf({ ...index, fragments });
    const [start, end] = [Math.round(startUs), Math.round(startUs + lengthUs)];
    const to = await freeID(files, taken, id, Math.floor(startUs / 1e6) * 1000);
    const former = index.fragments[0]?.machine;
    const report: RecordingReport = {
      ...{ id: to, monitorID: name.monitorID, state: 'found', start, end, bytes, streams: [...streams] },
      ...{ reason: '', ...(to !== id && { formerID: id }) },
      // Not if it has its true times since a correction that did not come to the name: nobody knows the clock of before.
      ...(correction.isOther(former) && {
        startedUs: { former: former.startedUs, now: correction.machine.startedUs },
      }),
    };
    await before(report);
    // The first one is the last: it shows whether anything is left to do.
    for (const [at, fragment] of [...fragments.entries()].reverse()) {
      if (at === 0) await handle.datasync();
      if (fragment !== index.fragments[at]) await writeTime(handle, fragment);
    }
    await handle.datasync();
    await handle.utimes(end / 1e6, end / 1e6);
    await files.rename(id, to);
    return report;
  } finally {
    await handle.close();
  }
}

async function writeTime(
  handle: FileHandle,
  { timeUs = 0, machine, timeOffset }: IndexedFragment,
): Promise<void> {
  const content = fragmentTimeContent({ timeUs, machine });
  await handle.write(content, 0, content.length, timeOffset);
}

function corrected(
  fragment: FragmentIndex['fragments'][number],
  correction: ClockCorrection,
): IndexedFragment {
  const { timeUs, machine } = fragment;
  if (timeUs === undefined || !correction.isOther(machine)) return fragment;
  const { startedUs, boot } = correction.machine;
  return {
    ...fragment,
    timeUs: Math.round(timeUs + correction.shiftUs(machine, timeUs)),
    machine: { startedUs, boot },
  };
}

/** Of two recordings that begin in one second the other takes the next. */
async function freeID(
  files: RecordingFiles,
  taken: ReadonlySet<string>,
  own: string,
  beginMs: number,
): Promise<string> {
  const name = parseRecordingID(own);
  for (let startMs = beginMs; name; startMs += 1000) {
    const id = formatRecordingID({ ...name, startMs });
    if (id === own || !(taken.has(id) || (await files.has(id)))) return id;
  }
  return own;
}
