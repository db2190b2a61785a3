import type { ListedRecording } from '../../../bus/messages.ts';
import { listArchive } from '../files/archive-listing.ts';
import { mayGrow, type RecordingFiles } from '../files/recording-files.ts';
import type { AskCatalogue } from './catalogue-questions.ts';
import { checkRecording } from './recording-check.ts';
import { contentOf, type RecordingContent } from './recording-content.ts';
import { RecordingOverlaps } from './recording-overlaps.ts';

const pageSize = 1000;

export interface CheckedArchive {
  readonly recordingsDir: string;
  readonly files: RecordingFiles;
  readonly ask: AskCatalogue;
  /** Whether a recorder writes to it meanwhile. */
  readonly isRunning: boolean;
}

/** Something that is wrong with a recording: the text continues a sentence that begins with its id. */
export interface Finding {
  readonly id: string;
  readonly text: string;
  /** How the catalogue can be made to agree with the folder, if that is what is wrong. */
  readonly repair?: CatalogueChange;
}

/** Either the file is gone, or it is there and plays. Times are Unix times in microseconds. */
export type CatalogueChange =
  | { readonly isGone: true }
  | (RecordingContent & {
      readonly isGone: false;
      readonly start: number | undefined;
      readonly bytes: number;
    });

/** One recording that was looked at. */
export interface CheckedRecording {
  /** Size of the file, 0 if there is none. */
  readonly bytes: number;
  readonly hasFile: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at every recording that is in the folder or in the catalogue, in the order of their ids. */
export async function* checkArchive(archive: CheckedArchive): AsyncGenerator<CheckedRecording> {
  const overlaps = new RecordingOverlaps();
  const rows = listRows(archive.ask);
  let row = await rows.next();
  for await (const id of listArchive(archive.recordingsDir)) {
    while (!row.done && row.value.id < id) {
      yield await check(archive, overlaps, row.value.id, row.value);
      row = await rows.next();
    }
    const isSame = !row.done && row.value.id === id;
    yield await check(archive, overlaps, id, isSame ? row.value : undefined);
    if (isSame) row = await rows.next();
  }
  for (; !row.done; row = await rows.next()) yield await check(archive, overlaps, row.value.id, row.value);
}

async function* listRows(ask: AskCatalogue): AsyncGenerator<ListedRecording, undefined> {
  for (let after = ''; ; ) {
    const page = await ask({ after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}

async function check(
  { files, ask, isRunning }: CheckedArchive,
  overlaps: RecordingOverlaps,
  id: string,
  known: ListedRecording | undefined,
): Promise<CheckedRecording> {
  /** What the recorder has changed since the listing is no difference. */
  const rowNow = async () => (isRunning ? (await ask({ id, limit: 1 }))[0] : known);
  const recording = await files.open(id);
  if (!recording) {
    const isListed = (await rowNow()) !== undefined;
    const finding: Finding = { id, text: 'is in the catalogue, but has no file', repair: { isGone: true } };
    return { bytes: 0, hasFile: false, findings: isListed ? [finding] : [] };
  }
  const { handle, bytes } = recording;
  try {
    const isGrowing = isRunning && mayGrow(recording);
    const { problems, index } = await checkRecording(recording, isGrowing);
    const overlap = index && overlaps.add(id, index);
    const findings: Finding[] = [...problems, ...(overlap ? [overlap] : [])].map((text) => ({ id, text }));
    const repair = (start?: number) =>
      index ? { repair: { isGone: false, start, bytes, ...contentOf(index) } as const } : {};
    // The reports of what is being written arrive later.
    if (!isGrowing && (known === undefined || known.bytes !== bytes)) {
      const row = await rowNow();
      if (!row) {
        if (await exists(files, id)) findings.push({ id, text: 'is not in the catalogue', ...repair() });
      } else if (row.bytes !== bytes && !(isRunning && row.end === null)) {
        const text = `has ${bytes} bytes, ${row.bytes ?? 'unknown'} in the catalogue`;
        findings.push({ id, text, ...repair(row.start) });
      }
    }
    return { bytes, hasFile: true, findings };
  } finally {
    await handle.close();
  }
}

async function exists(files: RecordingFiles, id: string): Promise<boolean> {
  const recording = await files.open(id);
  await recording?.handle.close();
  return recording !== undefined;
}
