import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Mutex } from '../../../bus/base/mutex.ts';
import { randomText } from '../../../bus/base/random.ts';
import type { Log } from '../../../bus/log.ts';
import type { ConfigChange, ConfigRecords } from '../../../bus/nats/control/config-records.ts';
import type { Agreement, RecordFiles, StoredRecord } from '../../../store/base/agreement.ts';
import type { JsonObject } from '../../../store/base/json.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { formationOf, formConfiguration } from './formation.ts';
import { keyOf, type OwnCopy } from './own-copy.ts';

export interface SharedConfigurationOptions {
  readonly machine: string;
  readonly monitors: RecordFiles;
  readonly accounts: RecordFiles;
  readonly copy: OwnCopy;
  readonly log: Log;
  /** Whether a new cluster begins with the configuration of this machine. */
  readonly isFirst: () => boolean;
  /** Asks the voting machines whether a majority of them is there now. */
  readonly hasMajority: () => Promise<boolean>;
  /** Called after a change was stored here. */
  readonly onStored: (record: StoredRecord, machine: string) => void;
  /** Called when the configuration of the cluster is here for the first time since the start. */
  readonly onJoined: () => void;
}

/** Another machine may have made a change and died before it could say so: this often the stream itself is asked. */
const lookMs = 10_000;
const joinMs = 1000;
/** The voters elect a leader within 4 to 15 s; a person waits no longer than this. */
const agreeMs = 8000;
const againMs = 200;
/**
 * The configuration that all machines have in common, and this machine's copy of it.
 *
 * A change is valid when a majority of the voting machines has it on disk, in the one order of the stream; every machine
 * writes it to its own files before it counts there. Machines hear of changes by heartbeats, and read what they missed.
 */
export class SharedConfiguration implements Agreement {
  readonly #options: SharedConfigurationOptions;
  readonly #mutex = new Mutex();
  readonly #closing = new AbortController();
  #records: ConfigRecords | undefined;
  #formation: string | undefined;
  #version = 0;
  #wake: () => void = () => {};
  #complaint = '';
  /** The configuration because of which this machine's own was kept: once is enough if joining has to be tried again. */
  #keptFor: string | undefined;

  constructor(options: SharedConfigurationOptions) {
    this.#options = options;
  }

  /** The sequence number of the last change that is stored here; 0 until this machine has joined. */
  get version(): number {
    return this.#version;
  }

  /** Follows the changes from now on. */
  follow(records: ConfigRecords): void {
    this.#records = records;
    void this.#keepUp(records);
  }

  /** Another machine has the changes up to this sequence number. */
  hear(sequence: number): void {
    // Until it has joined it looks each second, whatever the others have.
    if (this.#formation !== undefined && sequence > this.#version) this.#wake();
  }

  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  agree(record: StoredRecord, version: number): Promise<boolean> {
    return this.#mutex.runExclusive(async () => {
      if (version !== this.#version) return false;
      const records = this.#records;
      if (records && this.#formation === undefined) await this.#join(records).catch(() => {});
      if (version !== this.#version) return false;
      if (!records || !(await this.#options.hasMajority()))
        throw noMajority('nothing was changed: less than a majority of the voting machines is there');
      if (this.#formation === undefined)
        throw noMajority('nothing was changed: the first machine of the cluster has not been there yet');
      return this.#propose(records, { ...record, machine: this.#options.machine, change: randomText(22) });
    });
  }

  /** The answer to a change may be lost, so it is proposed again, for the same version, until one of the two is known. */
  async #propose(records: ConfigRecords, proposal: Omit<ConfigChange, 'sequence'>): Promise<boolean> {
    let isDoubtful = false;
    for (const end = performance.now() + agreeMs; performance.now() < end; await sleep(againMs)) {
      const answer = await records.change(proposal, this.#version).catch(() => undefined);
      isDoubtful ||= answer === undefined;
      const taken =
        typeof answer === 'number'
          ? await this.#take({ ...proposal, sequence: answer }).catch(onlyOwn)
          : await this.#catchUp(records).catch(onlyOwn);
      if (taken.some(({ change }) => change === proposal.change)) return true;
      if (taken.length > 0) return false;
    }
    throw isDoubtful
      ? noMajority('it is not known whether this was changed: look again when the voting machines answer')
      : noMajority('nothing was changed: the voting machines have not agreed in time');
  }

  async #keepUp(records: ConfigRecords): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let isWhole = false;
      let isFailed = false;
      const look = async () => {
        isWhole = await records.open();
        if (this.#formation === undefined) await this.#join(records);
        else await this.#catchUp(records);
        this.#complaint = '';
      };
      await this.#mutex.runExclusive(look).catch((error: unknown) => {
        isFailed = true;
        this.#complain(error);
      });
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const isSettled = isWhole && !isFailed && this.#formation !== undefined;
      const pause = sleep(isSettled ? lookMs : joinMs, undefined, { signal }).catch(() => {});
      // The others' heartbeats come twice a second, and a full disk stays full.
      await (isFailed ? pause : Promise.race([pause, woken]));
    }
  }

  /** That there is no majority is in the log already. */
  #complain(error: unknown): void {
    if (!(error instanceof StoreError) || error.message === this.#complaint) return;
    this.#complaint = error.message;
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    this.#options.log.error(`the shared configuration is not followed: ${error.message}${cause}`);
  }

  async #catchUp(records: ConfigRecords): Promise<ConfigChange[]> {
    const taken: ConfigChange[] = [];
    for (const change of await records.after(this.#version)) taken.push(...(await this.#take(change)));
    return taken;
  }

  async #take(change: ConfigChange): Promise<[ConfigChange]> {
    await this.#store(change, change.machine);
    this.#version = change.sequence;
    await this.#note();
    return [change];
  }

  /** Takes what the cluster has in place of this machine's own, or begins it with that. */
  async #join(records: ConfigRecords): Promise<void> {
    let found = await records.after(0);
    if (formationOf(found) === undefined) {
      if (!this.#options.isFirst()) return;
      await formConfiguration(records, this.#options.machine, this.#own(), found);
      this.#options.log.info(`the cluster begins with the configuration of this machine: ${this.#counts()}`);
      found = await records.after(0);
    }
    const formation = formationOf(found);
    const sequence = found.at(-1)?.sequence ?? 0;
    if (formation === undefined) return;
    // A voter that is cut off may have answered.
    if (sequence < this.#options.copy.sequenceOf(formation))
      throw new StoreError(
        'conflict',
        'that of the voting machines is older than the one here; if they have lost it, take a new secret',
      );
    await this.#keepOwn(formation, found);
    const known = new Set(found.map(keyOf));
    // First what there is, so that there is an administrator at any time.
    const inOrder = [...found].sort((a, b) => Number(a.value === null) - Number(b.value === null));
    for (const change of inOrder) await this.#store(change, change.machine);
    for (const record of this.#own()) {
      if (!known.has(keyOf(record))) await this.#store({ ...record, value: null }, this.#options.machine);
    }
    this.#formation = formation;
    this.#version = sequence;
    await this.#note();
    this.#options.log.info(`the shared configuration is here: ${this.#counts()}`);
    this.#options.onJoined();
  }

  /** Nothing of this machine is lost silently: what neither is nor was in the shared configuration. */
  async #keepOwn(formation: string, found: readonly ConfigChange[]): Promise<void> {
    if (this.#keptFor === formation) return;
    const { copy, log } = this.#options;
    const values = new Map(found.map((change) => [keyOf(change), change.value]));
    const own = this.#own();
    const lost = own.filter(
      (record) => !isDeepStrictEqual(values.get(keyOf(record)), record.value) && !copy.has(formation, record),
    );
    if (lost.length === 0) return;
    const folder = await copy.keep(own);
    this.#keptFor = formation;
    log.warning(
      `the cluster has another configuration than this machine had: its own is kept in ${folder} (differs: ${lost.map(keyOf).join(', ')})`,
    );
  }

  /** Stores a record here, unless it is there already. */
  async #store(
    { kind, id, value }: Pick<ConfigChange, 'kind' | 'id' | 'value'>,
    machine: string,
  ): Promise<void> {
    const { monitors, accounts, onStored, log } = this.#options;
    if (kind !== 'monitor' && kind !== 'account') return;
    const files = kind === 'monitor' ? monitors : accounts;
    const own = files.records().find((record) => record.id === id);
    if (isDeepStrictEqual(own?.value ?? null, value)) return;
    const record = { kind, id, value: value as JsonObject | null } as const;
    try {
      await files.accept(record);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === 'io') throw error;
      log.error(`${keyOf(record)} of ${machine} cannot be used here: ${error.message}`);
      return;
    }
    onStored(record, machine);
  }

  /** If it fails, more than necessary is kept after the next start. */
  async #note(): Promise<void> {
    if (this.#formation === undefined) return;
    const { copy, log } = this.#options;
    await copy
      .note(this.#formation, this.#version, this.#own())
      .catch((error: Error) => log.warning(`cluster.json not saved: ${error.message}`));
  }

  #own(): readonly StoredRecord[] {
    return [...this.#options.monitors.records(), ...this.#options.accounts.records()];
  }

  #counts(): string {
    const { monitors, accounts } = this.#options;
    return `${monitors.records().length} monitors, ${accounts.records().length} accounts`;
  }
}

const noMajority = (message: string) => new StoreError('no_majority', message);

/** A failure of the voters is one that may pass; that of the own disk is not. */
function onlyOwn(error: unknown): [] {
  if (error instanceof StoreError)
    throw new StoreError('io', `the cluster may have the change, but ${error.message} on this machine`, {
      cause: error.cause,
    });
  return [];
}
