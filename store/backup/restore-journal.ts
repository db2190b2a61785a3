import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { removeFile, syncFolder, writeAtomically } from '../../bus/base/files.ts';
import { compileValidator } from '../base/validator.ts';
import { BackupError } from './backup-error.ts';

/** What a restore does once all that is new is on the disk: it can be repeated until all of it is done. */
export const RestoreJournal = Type.Object({
  storageDir: Type.String(),
  moves: Type.Array(
    Type.Object({
      /** What comes to the target; null if nothing does. On its disk, as `aside` is. */
      staged: Type.Union([Type.String(), Type.Null()]),
      target: Type.String(),
      /** Where that goes which is there now. */
      aside: Type.String(),
    }),
  ),
  /** Folders that are deleted at the end. */
  staging: Type.Array(Type.String()),
});
export type RestoreJournal = Static<typeof RestoreJournal>;

const check = compileValidator(RestoreJournal);
const journalOf = (configFile: string) => `${resolve(configFile)}.restore`;

/** From here on the restore is finished, by another start if this process is killed. */
export async function commitRestore(configFile: string, journal: RestoreJournal): Promise<void> {
  await writeAtomically(journalOf(configFile), JSON.stringify(journal), 0o600);
  await perform(configFile, journal);
}

/**
 * Finishes a restore whose process was killed, if there was one.
 *
 * @param lock keeps other processes away from a folder. @throws errors of the file system; the restore can still be finished.
 */
export async function finishRestore(
  configFile: string,
  lock: (folder: string) => Promise<unknown>,
): Promise<boolean> {
  const read = () =>
    readFile(journalOf(configFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
  const before = await read();
  if (before === undefined) return false;
  await lock(parsed(configFile, before).storageDir);
  // It may have been finished while this waited.
  const text = await read();
  if (text !== undefined) await perform(configFile, parsed(configFile, text));
  return text !== undefined;
}

function parsed(configFile: string, text: string): RestoreJournal {
  const journal: unknown = JSON.parse(text);
  const flaw = check(journal);
  if (flaw) throw new BackupError(`${journalOf(configFile)}: ${flaw.pointer}: expected ${flaw.expected}`);
  return journal as RestoreJournal;
}

async function perform(configFile: string, { moves, staging }: RestoreJournal): Promise<void> {
  for (const { staged, target, aside } of moves) {
    // Has come already.
    if (staged !== null && !(await exists(staged))) continue;
    if ((await exists(target)) && !(await exists(aside))) await moveTo(target, aside);
    if (staged !== null) await moveTo(staged, target);
  }
  for (const folder of staging) await rm(folder, { recursive: true, force: true });
  await removeFile(journalOf(configFile));
}

async function moveTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o750 });
  await rename(from, to);
  await syncFolder(dirname(to));
  await syncFolder(dirname(from));
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
