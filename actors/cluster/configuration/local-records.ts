import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../../bus/log.ts';
import type { ConfigChange, RecordName } from '../../../bus/nats/control/config-records.ts';
import type { RecordFiles, StoredRecord } from '../../../store/base/agreement.ts';
import type { JsonObject } from '../../../store/base/json.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { keyOf, type OwnCopy } from './own-copy.ts';

export interface LocalRecordsOptions {
  readonly monitors: RecordFiles;
  readonly accounts: RecordFiles;
  readonly copy: OwnCopy;
  readonly log: Log;
  /** Called after a change was stored here. */
  readonly onStored: (record: StoredRecord, machine: string) => void;
}

/** This machine's monitors and accounts, which are to be those of the cluster. */
export class LocalRecords {
  readonly #options: LocalRecordsOptions;
  /** Records that this machine cannot have, by their keys: what it has of them is older. */
  readonly #refused = new Set<string>();
  /** The configuration because of which this machine's own was kept: once is enough if joining has to be tried again. */
  #keptFor: string | undefined;

  constructor(options: LocalRecordsOptions) {
    this.#options = options;
  }

  all(): readonly StoredRecord[] {
    return [...this.#options.monitors.records(), ...this.#options.accounts.records()];
  }

  /** For people. */
  counts(): string {
    const { monitors, accounts } = this.#options;
    return `${monitors.records().length} monitors, ${accounts.records().length} accounts`;
  }

  /** Whether the cluster has a record that this machine cannot have: a change of the older one here would undo it. */
  isOutdated(record: RecordName): boolean {
    return this.#refused.has(keyOf(record));
  }

  /** Stores a record here, unless it is there already. @throws {StoreError} `io` */
  async store(
    { kind, id, value }: Pick<ConfigChange, 'kind' | 'id' | 'value'>,
    machine: string,
  ): Promise<void> {
    const { monitors, accounts, onStored } = this.#options;
    if (kind !== 'monitor' && kind !== 'account') return;
    this.#refused.delete(keyOf({ kind, id }));
    const files = kind === 'monitor' ? monitors : accounts;
    const own = files.records().find((record) => record.id === id);
    if (isDeepStrictEqual(own?.value ?? null, value)) return;
    const record = { kind, id, value: value as JsonObject | null } as const;
    try {
      await files.accept(record);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === 'io') throw error;
      this.refuse(record, error.message);
      return;
    }
    onStored(record, machine);
  }

  /** The cluster has this record, and this machine goes on with what it has. */
  refuse(record: RecordName, reason: string): void {
    this.#refused.add(keyOf(record));
    this.#options.log.error(`${keyOf(record)} cannot be used here: ${reason}`);
  }

  /**
   * Nothing of this machine is lost silently: keeps what neither is nor was in the shared configuration.
   *
   * @throws {StoreError} `io`
   */
  async keepOwn(formation: string, found: readonly ConfigChange[]): Promise<void> {
    if (this.#keptFor === formation) return;
    const { copy, log } = this.#options;
    const values = new Map(found.map((change) => [keyOf(change), change.value]));
    const own = this.all();
    const lost = own.filter(
      (record) => !isDeepStrictEqual(values.get(keyOf(record)), record.value) && !copy.has(formation, record),
    );
    if (lost.length === 0) return;
    const folder = await copy.keep(own).catch((cause: unknown) => {
      throw new StoreError('io', 'what this machine had could not be kept', { cause });
    });
    this.#keptFor = formation;
    log.warning(
      `the cluster has another configuration than this machine had: its own is kept in ${folder} (differs: ${lost.map(keyOf).join(', ')})`,
    );
  }
}
