import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from '../../../bus/base/mutex.ts';
import { randomText } from '../../../bus/base/random.ts';
import type { ConfigChange, ConfigRecords, RecordName } from '../../../bus/nats/control/config-records.ts';
import type { Agreement, StoredRecord } from '../../../store/base/agreement.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { formationOf, formConfiguration, readFormation } from './formation.ts';
import { LocalRecords, type LocalRecordsOptions } from './local-records.ts';
import { keyOf } from './own-copy.ts';

export interface SharedConfigurationOptions extends LocalRecordsOptions {
  readonly machine: string;
  /** Whether a new cluster begins with the configuration of this machine. */
  readonly isFirst: () => boolean;
  /** Asks the voting machines whether a majority of them is there now. */
  readonly hasMajority: () => Promise<boolean>;
  /**
   * Called when the configuration of the cluster is here: once after the start, and again if it had to be formed anew.
   *
   * @param deleted monitors that the cluster once had.
   */
  readonly onJoined: (deleted: readonly string[]) => void;
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
  readonly #local: LocalRecords;
  readonly #mutex = new Mutex();
  readonly #closing = new AbortController();
  #records: ConfigRecords | undefined;
  #formation: string | undefined;
  #version = 0;
  #wake: () => void = () => {};
  #complaint = '';

  constructor(options: SharedConfigurationOptions) {
    this.#options = options;
    this.#local = new LocalRecords(options);
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
    const end = performance.now() + agreeMs;
    return this.#mutex.runExclusive(async () => {
      if (version !== this.#version) return false;
      const records = this.#records;
      if (!records || !(await this.#options.hasMajority()))
        throw noMajority('nothing was changed: less than a majority of the voting machines is there');
      if (this.#formation === undefined) await this.#join(records).catch(unlessOfStore);
      if (version !== this.#version) return false;
      if (this.#formation === undefined)
        throw noMajority('nothing was changed: the first machine of the cluster has not been there yet');
      if (record.value !== null && this.#local.isOutdated(record))
        throw new StoreError(
          'conflict',
          'the cluster has a newer version of this, which cannot be used here',
        );
      const proposal = { ...record, machine: this.#options.machine, change: randomText(22) };
      return this.#propose(records, proposal, end);
    });
  }

  /**
   * The answer to a change may be lost, so it is proposed again, for the same version, until one of the two is known.
   *
   * @param end when a person has waited long enough, as of `performance.now()`.
   */
  async #propose(
    records: ConfigRecords,
    proposal: Omit<ConfigChange, 'sequence'>,
    end: number,
  ): Promise<boolean> {
    const { signal } = this.#closing;
    let isDoubtful = false;
    const notAgreed = () =>
      isDoubtful
        ? noMajority('it is not known whether this was changed: look again when the voting machines answer')
        : noMajority('nothing was changed: the voting machines have not agreed in time');
    for (let leftMs = end - performance.now(); leftMs > 0; leftMs = end - performance.now()) {
      const answer = await records.change(proposal, this.#version, leftMs).catch(() => undefined);
      isDoubtful ||= answer === undefined;
      if (typeof answer === 'object') {
        if (isDoubtful) throw notAgreed();
        throw new StoreError('io', `nothing was changed: the voting machines refuse it (${answer.refused})`);
      }
      const taken =
        typeof answer === 'number'
          ? await this.#take({ ...proposal, sequence: answer }).catch(afterProposal)
          : await this.#catchUp(records).catch(afterProposal);
      if (taken.some(({ change }) => change === proposal.change)) return true;
      // It may have been there before the one that is there now: once more would be another change.
      if (isDoubtful && taken.some((change) => keyOf(change) === keyOf(proposal))) throw notAgreed();
      if (taken.length > 0) return false;
      if (signal.aborted) break;
      await sleep(againMs, undefined, { signal }).catch(() => {});
    }
    throw notAgreed();
  }

  async #keepUp(records: ConfigRecords): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      let isWhole = false;
      let isFailed = false;
      const look = async () => {
        if (this.#formation === undefined) await this.#join(records);
        else await this.#catchUp(records);
        this.#complaint = '';
      };
      try {
        // Without a leader it takes long, and a person who changes something waits no longer than for the change.
        isWhole = await records.open();
        await this.#mutex.runExclusive(look);
      } catch (error) {
        isFailed = true;
        this.#complain(error);
      }
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

  /** @throws {StoreError} `io`; `no_majority` if the voters have another configuration, or an earlier one. */
  async #catchUp(records: ConfigRecords): Promise<readonly ConfigChange[]> {
    const { changes, unread, last } = await records.after(this.#version);
    if (last < this.#version || (await readFormation(records)) !== this.#formation) {
      this.#formation = undefined;
      this.#version = 0;
      throw noMajority('the voting machines no longer have the configuration that is here');
    }
    for (const change of changes) await this.#take(change);
    this.#refuse(unread);
    if (last > this.#version) {
      this.#version = last;
      await this.#note();
    }
    return changes;
  }

  async #take(change: ConfigChange): Promise<readonly ConfigChange[]> {
    await this.#local.store(change, change.machine);
    this.#version = change.sequence;
    await this.#note();
    return [change];
  }

  /** Takes what the cluster has in place of this machine's own, or begins it with that. */
  async #join(records: ConfigRecords): Promise<void> {
    const { machine, isFirst, copy, log, onJoined } = this.#options;
    let found = await records.after(0);
    if (formationOf(found.changes) === undefined) {
      if (!isFirst()) return;
      await formConfiguration(records, machine, this.#local.all(), found);
      log.info(`the cluster begins with the configuration of this machine: ${this.#local.counts()}`);
      found = await records.after(0);
    }
    const { changes, unread, last } = found;
    const formation = formationOf(changes);
    if (formation === undefined) return;
    // A voter that is cut off may have answered.
    if (last < copy.sequenceOf(formation))
      throw noMajority(
        'the configuration of the voting machines is older than the one here; if they have lost it, take a new secret',
      );
    await this.#local.keepOwn(formation, changes);
    const known = new Set([...changes, ...unread].map(keyOf));
    const others = this.#local.all().filter((record) => !known.has(keyOf(record)));
    const inOrder = [...changes, ...others.map((record) => ({ ...record, value: null, machine }))];
    inOrder.sort((a, b) => joinOrder(a) - joinOrder(b));
    for (const change of inOrder) await this.#local.store(change, change.machine);
    this.#refuse(unread);
    this.#formation = formation;
    this.#version = last;
    await this.#note();
    log.info(`the shared configuration is here: ${this.#local.counts()}`);
    onJoined(changes.filter(({ kind, value }) => kind === 'monitor' && value === null).map(({ id }) => id));
  }

  #refuse(unread: readonly RecordName[]): void {
    for (const record of unread) this.#local.refuse(record, 'another version of the program has written it');
  }

  /** If it fails, more than necessary is kept after the next start. */
  async #note(): Promise<void> {
    if (this.#formation === undefined) return;
    const { copy, log } = this.#options;
    await copy
      .note(this.#formation, this.#version, this.#local.all())
      .catch((error: Error) => log.warning(`cluster.json not saved: ${error.message}`));
  }
}

/** Monitors go first, so that their files' names are free; accounts last, so that there is an administrator at any time. */
const joinOrder = ({ kind, value }: Pick<ConfigChange, 'kind' | 'value'>) =>
  value === null ? (kind === 'monitor' ? -1 : 1) : 0;

const noMajority = (message: string) => new StoreError('no_majority', message);

/** A failure of the voters is one that may pass; what the store says is for the caller. */
function unlessOfStore(error: unknown): void {
  if (error instanceof StoreError) throw error;
}

/** As {@link unlessOfStore}, after a change that the voters may have. */
function afterProposal(error: unknown): [] {
  if (error instanceof StoreError && error.code === 'io')
    throw new StoreError('io', `the cluster may have the change, but ${error.message} on this machine`, {
      cause: error.cause,
    });
  unlessOfStore(error);
  return [];
}
