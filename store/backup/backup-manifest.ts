import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { writeAtomically } from '../../bus/base/files.ts';
import { compileValidator } from '../base/validator.ts';
import { BackupError } from './backup-error.ts';
import { hashOf } from './file-copy.ts';

/** The list of a backup's files, which is written last: a folder without it is no backup. */
const manifestName = 'manifest.json';

const format = 1;

const BackupFile = Type.Object({
  /** Relative to the backup's folder. */
  path: Type.String({
    pattern: '^(config|storage|external)(/(?!\\.{1,2}(/|$))[^/\\p{Cc}]+)+$',
    maxLength: 4096,
  }),
  bytes: Type.Integer({ minimum: 0 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** The file's permissions before. */
  mode: Type.Integer({ minimum: 0, maximum: 0o777 }),
});
export type BackupFile = Static<typeof BackupFile>;

const BackupManifest = Type.Object({
  format: Type.Literal(format),
  /** Of the program. */
  version: Type.String(),
  /** When it was begun: ISO 8601. All that was on the bus then is in it. */
  time: Type.String(),
  /** Absolute paths, at that time. */
  folders: Type.Object({
    configFile: Type.String(),
    configDir: Type.String(),
    storageDir: Type.String(),
    mediaDir: Type.String(),
  }),
  files: Type.Array(BackupFile),
});
export type BackupManifest = Static<typeof BackupManifest>;

const check = compileValidator(BackupManifest);

export async function writeManifest(folder: string, content: Omit<BackupManifest, 'format'>): Promise<void> {
  const text = JSON.stringify({ format, ...content }, undefined, 2);
  await writeAtomically(join(folder, manifestName), `${text}\n${checksum(text)}\n`, 0o600);
}

/** @throws {BackupError} if the folder is no backup, or one of another version, or the list is damaged. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const file = join(folder, manifestName);
  const whole = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
    throw new BackupError(`${folder} is no backup: it has no ${manifestName}`, { cause });
  });
  const end = whole.trimEnd().lastIndexOf('\n');
  const text = whole.slice(0, Math.max(end, 0));
  if (whole.slice(end + 1) !== `${checksum(text)}\n`) throw new BackupError(`${file} is damaged`);
  const content = JSON.parse(text) as { format?: unknown; version?: unknown };
  if (content.format !== format) {
    throw new BackupError(
      `${folder} was made by version ${content.version}, whose format ${content.format} is unknown here: restore it with that version`,
    );
  }
  const flaw = check(content);
  if (flaw) throw new BackupError(`${file}: ${flaw.pointer}: expected ${flaw.expected}`);
  return content as BackupManifest;
}

/** @throws {BackupError} that names the first file that is missing or damaged. */
export async function checkFiles(folder: string, { files }: BackupManifest): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const found = await lstat(join(folder, path)).catch(() => undefined);
    if (!found?.isFile()) throw new BackupError(`${folder} is not complete: ${path} is missing`);
    if (found.size !== bytes) {
      throw new BackupError(
        `${path} of the backup is damaged: it has ${found.size} bytes instead of ${bytes}`,
      );
    }
    if ((await hashOf(join(folder, path))) !== sha256) {
      throw new BackupError(`${path} of the backup is damaged: its content has changed since it was made`);
    }
  }
}

const checksum = (text: string) => `sha256 ${createHash('sha256').update(text).digest('hex')}`;
