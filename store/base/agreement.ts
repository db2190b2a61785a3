import type { JsonObject } from './json.ts';
import { StoreError } from './store-error.ts';

/** A monitor or an account as it is stored. */
export interface StoredRecord {
  readonly kind: 'monitor' | 'account';
  readonly id: string;
  /** null: it was deleted. */
  readonly value: JsonObject | null;
}

/** How a change of stored records becomes valid: at once where a machine is alone, otherwise when several have agreed. */
export interface Agreement {
  /** Of all records, of whatever kind; it grows with each change. */
  readonly version: number;
  /**
   * Makes a change valid that was made for the records of one version, and has it stored ({@link RecordFiles.accept}).
   *
   * @returns false if the records are no longer of this version: nothing was changed.
   * @throws {StoreError} `no_majority`, `io`
   */
  agree(record: StoredRecord, version: number): Promise<boolean>;
}

/** The files of one kind of records. */
export interface RecordFiles {
  /** All records, as they are stored. */
  records(): readonly StoredRecord[];
  /**
   * Stores a record that is valid, on disk first.
   *
   * @throws {StoreError} `io`; `invalid` or `conflict` if this machine cannot have such a record.
   */
  accept(record: StoredRecord): Promise<void>;
  /** Calls `listener` after each change that is stored. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
}

/** Others may change something at the same time; each time that this comes to nothing, one of them has succeeded. */
const maxAttempts = 20;

/** The agreement of a machine that is alone. */
export const alone = (files: Pick<RecordFiles, 'accept'>): Agreement => ({
  version: 0,
  async agree(record) {
    await files.accept(record);
    return true;
  },
});

/**
 * Makes a change, again for the new records if there were other changes meanwhile.
 *
 * @param make makes it for the records as they are now; undefined: there is nothing to change.
 * @throws what `make` and {@link Agreement.agree} throw. @throws {StoreError} `busy`
 */
export async function changeRecord(
  agreement: Agreement,
  make: () => Promise<StoredRecord | undefined>,
): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const { version } = agreement;
    const record = await make();
    if (!record || (await agreement.agree(record, version))) return;
  }
  throw new StoreError('busy', 'too many others are changing something');
}
