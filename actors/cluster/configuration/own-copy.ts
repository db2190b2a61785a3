import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { writeAtomically } from '../../../bus/base/files.ts';
import type { StoredRecord } from '../../../store/base/agreement.ts';
import { compileValidator } from '../../../store/base/validator.ts';

const CopyFile = Type.Object({
  /** The shared configuration that this machine's files are a copy of. */
  formation: Type.String(),
  /** Up to where they have its changes. */
  sequence: Type.Integer({ minimum: 0 }),
  /** Of each record as it was written. */
  digests: Type.Record(Type.String(), Type.String()),
});
type CopyFile = Static<typeof CopyFile>;
const checkFile = compileValidator(CopyFile);

const none: CopyFile = { formation: '', sequence: 0, digests: {} };

/**
 * What this machine's `accounts.json` and `monitors/` are a copy of: `config_dir/cluster.json`. With it a record that was
 * changed here by hand, or before the machine was one of the cluster, is told from one that was merely overtaken.
 */
export class OwnCopy {
  readonly #configDir: string;
  #known: CopyFile;

  private constructor(configDir: string, known: CopyFile) {
    this.#configDir = configDir;
    this.#known = known;
  }

  /** A missing or broken file counts as none: too much is kept then, but nothing is lost. */
  static async open(configDir: string): Promise<OwnCopy> {
    const text = await readFile(fileIn(configDir), 'utf8').catch(() => '');
    try {
      const known: unknown = JSON.parse(text);
      return new OwnCopy(configDir, checkFile(known) ? none : (known as CopyFile));
    } catch {
      return new OwnCopy(configDir, none);
    }
  }

  /** Up to where the files have the changes of this configuration; 0: they are a copy of another one. */
  sequenceOf(formation: string): number {
    return this.#known.formation === formation ? this.#known.sequence : 0;
  }

  /** Whether a record is as it once was in this configuration. */
  has(formation: string, record: StoredRecord): boolean {
    return this.sequenceOf(formation) > 0 && this.#known.digests[keyOf(record)] === digestOf(record);
  }

  /** @param records all that are stored here. @throws errors of the file system. */
  async note(formation: string, sequence: number, records: readonly StoredRecord[]): Promise<void> {
    const digests = Object.fromEntries(records.map((record) => [keyOf(record), digestOf(record)]));
    this.#known = { formation, sequence, digests };
    await writeAtomically(fileIn(this.#configDir), `${JSON.stringify(this.#known)}\n`, 0o600);
  }

  /**
   * Writes records to a new folder, with the names and modes that they have in the folder of the configuration.
   *
   * @returns the folder. @throws errors of the file system.
   */
  async keep(records: readonly StoredRecord[]): Promise<string> {
    const time = new Date().toISOString().replace(/[:.]/g, '-');
    const folder = join(this.#configDir, `before-cluster-${time}`);
    const accounts = records.filter(({ kind }) => kind === 'account');
    const write = (name: string, value: unknown) =>
      writeAtomically(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
    await write('accounts.json', Object.fromEntries(accounts.map(({ id, value }) => [id, value])));
    for (const { kind, id, value } of records) {
      if (kind === 'monitor') await write(join('monitors', `${id}.json`), value);
    }
    return folder;
  }
}

/** What tells a record from all others. */
export const keyOf = ({ kind, id }: { readonly kind: string; readonly id: string }): string =>
  `${kind} ${id}`;

const fileIn = (configDir: string) => join(configDir, 'cluster.json');
const digestOf = ({ value }: StoredRecord) =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url');
