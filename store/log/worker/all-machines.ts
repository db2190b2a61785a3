import { splitSiteID } from '../../../bus/recording-id.ts';
import { StoreError } from '../../base/store-error.ts';
import type { Beside } from '../catalogue/beside.ts';
import type { EventFilter, ListedEvent, Occurrence, OccurrenceFilter } from '../catalogue/event-list.ts';
import { joinOccurrences } from '../catalogue/joined-occurrences.ts';
import type {
  CatalogueEntry,
  MachineFilter,
  RecordingFilter,
  StoredRank,
  TenureQuestion,
} from '../catalogue/recording-catalogue.ts';
import { readTimeline, type TimelineAnswer, type TimelineQuestion } from '../catalogue/timeline.ts';
import type { LogFilter, MachineEntry, OfMachine } from '../read/log-filter.ts';
import { firstOf, pageOfMachines } from '../read/log-pages.ts';
import { maxStatsRows, type StatsQuestion, type StatsRow } from '../read/log-stats.ts';
import { statsGroups } from '../read/stats-buckets.ts';
import type { CataloguePage, ComparedPage } from '../schema/stored-recordings.ts';
import type { LogDatabase } from './log-database.ts';
import type { MachineLog } from './machine-log.ts';

/** An answer of one machine's tables, with its name. */
type Of<T> = T & OfMachine;
/** Which machines are asked; empty is all. */
interface Choice {
  readonly machines?: readonly string[];
}
/** Conditions on the recordings of all machines. The ids in `before` and `after` may say a machine. */
export interface SiteFilter extends RecordingFilter {
  /** The machines that are heard, if not all; see {@link MachineFilter}. */
  readonly heard?: readonly string[];
}
export type RankedTenure = Of<StoredRank>;
/** A page of what a machine has, of the ids after this one. */
export interface ComparisonQuestion {
  readonly machine: string;
  readonly after: string;
  readonly page: CataloguePage;
}
type BesideChoice = Choice & Pick<EventFilter, 'id' | 'start' | 'end'>;
type Named = readonly [machine: string, log: MachineLog];

/** Answers from the tables of all machines, in one order: by time, then by machine. */
export class AllMachines {
  readonly #database: LogDatabase;
  readonly #present: readonly string[];

  /** @param present this machine and those of its cluster; of others, that have left it, rows are left, but files cannot be had. */
  constructor(database: LogDatabase, present: readonly string[]) {
    this.#database = database;
    this.#present = present;
  }

  /** A page may be longer by entries of the same time as the last one, so that pages can be turned by the time. */
  page(filter: LogFilter, oldestFirst: boolean): Promise<MachineEntry[]> {
    const pages = this.#chosen(filter).map(([machine, log]) => [machine, log.pages] as const);
    return pageOfMachines(pages, filter, oldestFirst);
  }

  /** @throws {StoreError} `invalid` if there are more than 10,000 rows. */
  async stats(question: StatsQuestion): Promise<StatsRow[]> {
    const group = question.group.filter((key) => key !== 'machine');
    const found = await this.#ask(question.filter, (log) => log.stats.count({ ...question, group }));
    const sums = new Map<string, StatsRow>();
    for (const { count, machine, ...rest } of found) {
      const isOfMachine = group.length < question.group.length;
      // Asked for nothing else, a machine without entries answers so.
      if (isOfMachine && count === 0) continue;
      const kind = isOfMachine ? { ...rest, machine } : rest;
      const key = JSON.stringify(kind);
      sums.set(key, { ...kind, count: (sums.get(key)?.count ?? 0) + count });
    }
    if (sums.size > maxStatsRows) {
      const text = `more than ${maxStatsRows} rows; ask for a longer bucket or a shorter time`;
      throw new StoreError('invalid', text, { pointer: '/bucket' });
    }
    if (sums.size === 0 && question.group.length === 0 && !question.bucket) return [{ count: 0 }];
    return [...sums.values()].sort(inOrderOfKeys);
  }

  /** What two machines have seen, once. A page has all events of its last time, as {@link page}. */
  async events(filter: EventFilter): Promise<Of<ListedEvent>[]> {
    const beside = await this.#beside(filter);
    const found = await this.#ask(filter, (log, machine) =>
      log.events.list({ ...filter, beside: beside(machine) }),
    );
    return firstOf(found, filter.limit, filter.oldestFirst, ({ time }) => time).map((event) =>
      this.#hasFiles(event) ? event : { ...event, recording: null },
    );
  }

  async occurrences(filter: OccurrenceFilter): Promise<Of<Occurrence>[]> {
    const beside = await this.#beside(filter);
    const found = await this.#ask(filter, (log, machine) =>
      log.events.occurrences({ ...filter, beside: beside(machine) }),
    );
    const joined = joinOccurrences(found);
    return firstOf(joined, filter.limit, filter.oldestFirst, ({ start }) => start).map((one) =>
      this.#hasFiles(one) ? one : { ...one, best: { ...one.best, recording: null } },
    );
  }

  /** In the order of the ids; two with the same id in that of their machines. */
  async recordings(filter: SiteFilter): Promise<Of<CatalogueEntry>[]> {
    const found = await this.#ask(this.#withFiles, (log, machine) =>
      log.catalogue.list(filterOf(filter, machine)),
    );
    const sign = filter.oldestFirst ? 1 : -1;
    const isLater = (a: Of<CatalogueEntry>, b: Of<CatalogueEntry>) =>
      a.id === b.id ? a.machine > b.machine : a.id > b.id;
    return found.sort((a, b) => (isLater(a, b) ? sign : -sign)).slice(0, filter.limit);
  }

  /** The other machines whose recordings have to be compared with what they have. */
  async uncompared(): Promise<string[]> {
    const others = this.#chosen(this.#withFiles).filter(([machine]) => machine !== this.#database.machine);
    const due = await Promise.all(
      others.map(async ([machine, { recordings }]) => ((await recordings.isDue()) ? [machine] : [])),
    );
    return due.flat();
  }

  /** See {@link RecordingComparison.compare}. */
  async compare({ machine, after, page }: ComparisonQuestion): Promise<ComparedPage | undefined> {
    return this.#database.others.get(machine)?.recordings.compare(after, page);
  }

  /** How each machine recorded a monitor when, in the order of time. */
  async tenures(question: TenureQuestion): Promise<RankedTenure[]> {
    const found = await this.#ask({}, (log) => log.catalogue.ranks(question));
    return found.sort((a, b) => a.time - b.time);
  }

  /** @throws {StoreError} `invalid` if the answer would be over 64 KB. */
  async timeline(question: TimelineQuestion): Promise<TimelineAnswer> {
    const beside = await this.#beside({ ...question, ...this.#withFiles });
    return readTimeline(question, (bucket) =>
      Promise.all(
        this.#chosen(this.#withFiles).map(([machine, log]) =>
          log.timeline.summarize({
            ...{ ...question, bucket, isAway: isAway(question, machine) },
            beside: beside(machine),
          }),
        ),
      ),
    );
  }

  /**
   * @returns for each machine, which others may show what it has seen: one that has left, nothing of a machine that is there, whose
   *   recording of it can be had.
   */
  async #beside(filter: BesideChoice): Promise<(machine: string) => Beside | undefined> {
    const chosen = this.#chosen(filter);
    // An event that is asked for by its id is meant.
    const isAlone = chosen.length < 2 || filter.id !== undefined;
    const all = chosen.map(([machine, { tables }]) => ({ machine, schema: tables.schema }));
    if (isAlone || !(await this.#database.events.isJoint(filter, all))) return () => undefined;
    const withFiles = all.filter((one) => this.#hasFiles(one));
    return (machine) => ({ machine, machines: this.#hasFiles({ machine }) ? withFiles : all });
  }

  async #ask<T extends object>(
    filter: Choice,
    ask: (log: MachineLog, machine: string) => Promise<readonly T[]>,
  ): Promise<Of<T>[]> {
    const found = await Promise.all(
      this.#chosen(filter).map(async ([machine, log]) =>
        (await ask(log, machine)).map((row) => ({ ...row, machine })),
      ),
    );
    return found.flat();
  }

  #hasFiles({ machine }: OfMachine): boolean {
    return this.#present.includes(machine);
  }

  get #withFiles(): Choice {
    return { machines: this.#present };
  }

  #chosen({ machines = [] }: Choice): Named[] {
    const all: Named[] = [[this.#database.machine, this.#database], ...this.#database.others];
    return machines.length === 0 ? all : all.filter(([machine]) => machines.includes(machine));
  }
}

const isAway = ({ heard }: Pick<TimelineQuestion, 'heard'>, machine: string) =>
  heard !== undefined && !heard.includes(machine);

/** Of two machines' recordings with one id, a page may end between them. */
function filterOf({ before, after, heard, ...filter }: SiteFilter, machine: string): MachineFilter {
  const [older, newer] = [before, after].map((border) =>
    border === undefined ? undefined : splitSiteID(border),
  );
  return {
    ...filter,
    ...(older && { before: older.id, withBefore: older.machine !== undefined && machine < older.machine }),
    ...(newer && { after: newer.id, withAfter: newer.machine !== undefined && machine > newer.machine }),
    isAway: isAway({ heard }, machine),
  };
}

function inOrderOfKeys(one: StatsRow, other: StatsRow): number {
  for (const key of ['time', ...statsGroups] as const) {
    const [a, b] = [one[key] ?? '', other[key] ?? ''];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}
