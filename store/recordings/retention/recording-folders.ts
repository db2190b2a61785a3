import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import type { CatalogueEntry, RecordingFilter } from '../../log/catalogue/recording-catalogue.ts';
import type { DayUsage } from '../../log/catalogue/recording-usage.ts';
import { fileBytes } from './folder-sizes.ts';
import type { KeptRecording } from './retention-rules.ts';

/** What the folder of recordings holds beside what the catalogue says. */
export interface FolderContents {
  /** Recordings that the catalogue does not have, or not with their size; in the order of their ids. */
  readonly unlisted: readonly KeptRecording[];
  /** The ids of recordings that the catalogue has, and the folder has not. */
  readonly missing: readonly string[];
  /** Sizes of protected recordings by their ids. */
  readonly protectedBytes: ReadonlyMap<string, number>;
  /** What is made of recordings, such as their pictures. */
  readonly companionBytes: number;
  /** The ids of recordings with a file of labels. */
  readonly labelled: ReadonlySet<string>;
}

interface DayFolder {
  readonly modifiedMs: number;
  /** The number of its recordings in the catalogue. */
  readonly listed: number;
  readonly unlisted: readonly KeptRecording[];
  readonly missing: readonly string[];
  readonly protectedBytes: ReadonlyMap<string, number>;
  readonly companionBytes: number;
  readonly labelled: readonly string[];
}

type ReadCatalogue = (filter: RecordingFilter) => Promise<readonly CatalogueEntry[]>;

const companion = /\.(jpeg|idx)$/;
/** More than fit into a day and a monitor. */
const maxPerDay = 200_000;

/**
 * Compares the folders of days and monitors with the catalogue: by their numbers of files, and file by file only where
 * these differ. A folder that has not changed since the last time is not read again.
 */
export class RecordingFolders {
  readonly #recordingsDir: string;
  readonly #readCatalogue: ReadCatalogue;
  #known = new Map<string, DayFolder>();

  constructor(recordingsDir: string, readCatalogue: ReadCatalogue) {
    this.#recordingsDir = recordingsDir;
    this.#readCatalogue = readCatalogue;
  }

  /** @throws errors of the file system. */
  async compare(usage: readonly DayUsage[]): Promise<FolderContents> {
    const listed = new Map<string, number>();
    for (const { day, monitorID, recordings } of usage) {
      const folder = `${day.replaceAll('-', '/')}/${monitorID}`;
      listed.set(folder, (listed.get(folder) ?? 0) + recordings);
    }
    const found = new Map<string, DayFolder>();
    for (const folder of await this.#dayFolders()) {
      const contents = await this.#read(folder, listed.get(folder) ?? 0);
      if (contents) found.set(folder, contents);
    }
    const missing: string[] = [];
    // An empty folder is rather a disk that is not there than an archive that somebody has deleted.
    if (found.size > 0) {
      for (const folder of listed.keys()) {
        if (!found.has(folder)) for (const { id } of await this.#listed(folder)) missing.push(id);
      }
    }
    this.#known = found;
    const folders = [...found.values()];
    return {
      unlisted: await inOrder(found),
      missing: [...missing, ...folders.flatMap((folder) => folder.missing)],
      protectedBytes: new Map(folders.flatMap(({ protectedBytes }) => [...protectedBytes])),
      companionBytes: folders.reduce((bytes, folder) => bytes + folder.companionBytes, 0),
      labelled: new Set(folders.flatMap(({ labelled }) => labelled)),
    };
  }

  /** `2026/11/23/door`, oldest first. */
  async #dayFolders(): Promise<string[]> {
    let folders = [''];
    for (const form of [/^\d{4}$/, /^\d\d$/, /^\d\d$/, /^[A-Za-z0-9]{1,24}$/]) {
      const deeper = await Promise.all(
        folders.map(async (folder) => {
          const entries = await readdir(join(this.#recordingsDir, folder), { withFileTypes: true }).catch(
            absent,
          );
          return (entries ?? [])
            .filter((entry) => entry.isDirectory() && form.test(entry.name))
            .map(({ name }) => (folder === '' ? name : `${folder}/${name}`));
        }),
      );
      folders = deeper.flat();
    }
    return folders.sort();
  }

  async #read(folder: string, listed: number): Promise<DayFolder | undefined> {
    const path = join(this.#recordingsDir, folder);
    const before = await lstat(path).catch(absent);
    if (!before) return undefined;
    const known = this.#known.get(folder);
    if (known?.modifiedMs === before.mtimeMs && known.listed === listed) return known;
    const names = (await readdir(path).catch(absent)) ?? [];
    const idsOf = (ending: string) =>
      names
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length))
        .filter((id) => parseRecordingID(id) && folder === folderOf(id));
    const files = idsOf('.mp4');
    const protectedBytes = new Map<string, number>();
    for (const id of idsOf('.protected')) {
      const found = await lstat(join(path, `${id}.mp4`)).catch(absent);
      if (found?.isFile()) protectedBytes.set(id, found.size);
    }
    let companionBytes = 0;
    for (const name of names.filter((each) => companion.test(each))) {
      companionBytes += await fileBytes(join(path, name));
    }
    const agrees = files.length === listed;
    const differences = agrees ? { unlisted: [], missing: [] } : await this.#differences(folder, files);
    return {
      ...{ modifiedMs: before.mtimeMs, listed, ...differences },
      ...{ protectedBytes, companionBytes, labelled: idsOf('.labels') },
    };
  }

  async #differences(folder: string, files: readonly string[]) {
    const entries = await this.#listed(folder);
    const listed = new Set(entries.map(({ id }) => id));
    const present = new Set(files);
    const unlisted: KeptRecording[] = [];
    for (const id of files.filter((file) => !listed.has(file))) {
      const found = await lstat(join(this.#recordingsDir, folder, `${id}.mp4`)).catch(absent);
      const recording = found?.isFile() && unlistedRecording(id, found);
      if (recording) unlisted.push(recording);
    }
    // One that is being written may have been reported, and its file is not yet there.
    const missing = entries.filter(({ id, end }) => end !== null && !present.has(id)).map(({ id }) => id);
    return { unlisted, missing };
  }

  /** Those of a day and a monitor whose size is known. */
  async #listed(folder: string): Promise<CatalogueEntry[]> {
    const [monitorID = '', day = ''] = [folder.slice(11), folder.slice(0, 10).replaceAll('/', '-')];
    const filter = { monitors: [monitorID], after: day, before: `${day}~`, limit: maxPerDay };
    const entries = await this.#readCatalogue({ ...filter, oldestFirst: true });
    return entries.filter(({ bytes }) => bytes !== null);
  }
}

/**
 * Those of a day at a time: an archive without a catalogue may have 200,000, whose sorting takes more than a second.
 *
 * @param folders by their names, in order.
 */
async function inOrder(folders: ReadonlyMap<string, DayFolder>): Promise<KeptRecording[]> {
  const all: KeptRecording[] = [];
  let day = '';
  let ofDay: KeptRecording[] = [];
  const endDay = async () => {
    if (ofDay.length === 0) return;
    ofDay.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const recording of ofDay) all.push(recording);
    ofDay = [];
    await turn();
  };
  for (const [folder, { unlisted }] of folders) {
    if (!folder.startsWith(day) || day === '') await endDay();
    day = folder.slice(0, '2026/11/23'.length);
    ofDay.push(...unlisted);
  }
  await endDay();
  return all;
}

/** Its end is when its file was last written to. */
function unlistedRecording(id: string, { size, mtimeMs }: Stats): KeptRecording | undefined {
  const name = parseRecordingID(id);
  return name && { id, ...name, endMs: Math.max(name.startMs, mtimeMs), bytes: size };
}

const folderOf = (id: string): string =>
  `${id.slice(0, 10).replaceAll('-', '/')}/${parseRecordingID(id)?.monitorID ?? ''}`;

/** Somebody else may have removed it meanwhile. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
