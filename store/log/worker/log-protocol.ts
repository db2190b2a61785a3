import type { WorkerMessage, WorkerRefusal } from '../../../bus/children/worker-protocol.ts';
import type { CheckpointAnswer, CheckpointQuestion } from '../../../bus/messages.ts';
import type { BusAddress } from '../../../bus/nats/bus-address.ts';
import type { StoreErrorCode } from '../../base/store-error.ts';
import type { EventFilter, ListedEvent, Occurrence, OccurrenceFilter } from '../catalogue/event-list.ts';
import type { CatalogueEntry, RecordingFilter, TenureQuestion } from '../catalogue/recording-catalogue.ts';
import type { UsageAnswer, UsageQuestion } from '../catalogue/recording-usage.ts';
import type { TimelineAnswer, TimelineQuestion } from '../catalogue/timeline.ts';
import type { ExportFormat } from '../export/export-format.ts';
import type { LogFilter, MachineEntry, OfMachine } from '../read/log-filter.ts';
import type { StatsQuestion, StatsRow } from '../read/log-stats.ts';
import type { StatusTotals } from '../read/log-totals.ts';
import type { LogStoreErrorCode } from '../schema/log-store-error.ts';
import type { CataloguePage, ComparedPage } from '../schema/stored-recordings.ts';
import type { ComparisonQuestion, RankedTenure, SiteFilter } from './all-machines.ts';

/** The messages between the log store and its thread. */

/** The other machines of the cluster, and where the streams of all of them are reached. */
export interface LogSite {
  readonly address: BusAddress;
  readonly others: readonly string[];
}

/** The thread's start options. */
export interface LogWorkerStart {
  readonly file: string;
  readonly bus: BusAddress;
  /** Start of the recorder, Unix time in microseconds: the same after a restart of the thread. */
  readonly began: number;
  /** This machine's name. */
  readonly machine: string;
  /** Where it is one of several. */
  readonly site?: LogSite | undefined;
  /** The recorders of the cluster that are heard; undefined before that is known. */
  readonly heard?: readonly string[] | undefined;
  readonly maxAgeDays: number;
  readonly maxSizeMegabytes: number;
  /** Whether there are followers already: new entries are then posted from the first on. */
  readonly following: boolean;
}

/** The queries to the thread, and their answers. */
export interface LogQuestions {
  /** The matching entries, newest first (or oldest first), up to the filter's limit. */
  page: { asked: { filter: LogFilter; oldestFirst: boolean }; answer: MachineEntry[] };
  stats: { asked: StatsQuestion; answer: StatsRow[] };
  /** Starts a download and answers with its number. */
  openExport: { asked: { filter: LogFilter; format: ExportFormat }; answer: number };
  /** The download's next chunk; undefined after the last one. */
  readDownload: { asked: { download: number }; answer: Uint8Array<ArrayBuffer> | undefined };
  closeDownload: { asked: { download: number }; answer: undefined };
  recordings: { asked: RecordingFilter; answer: CatalogueEntry[] };
  siteRecordings: { asked: SiteFilter; answer: (CatalogueEntry & OfMachine)[] };
  siteTenures: { asked: TenureQuestion; answer: RankedTenure[] };
  /** Of this machine's own recordings, those with ids after this one. */
  cataloguePage: { asked: string; answer: CataloguePage };
  /** The other machines whose recordings have to be compared with what they have. */
  uncompared: { asked: undefined; answer: string[] };
  compare: { asked: ComparisonQuestion; answer: ComparedPage | undefined };
  usage: { asked: UsageQuestion; answer: UsageAnswer };
  timeline: { asked: TimelineQuestion; answer: TimelineAnswer };
  events: { asked: EventFilter; answer: (ListedEvent & OfMachine)[] };
  occurrences: { asked: OccurrenceFilter; answer: (Occurrence & OfMachine)[] };
  checkpoint: { asked: CheckpointQuestion; answer: CheckpointAnswer };
  totals: { asked: undefined; answer: StatusTotals };
  /** Commits what was logged before, if so asked. The answer is `LogDatabase.version`. */
  fileVersion: { asked: { commits: boolean }; answer: string };
}
export type LogTopic = keyof LogQuestions;
export type AskedQuestion<T extends LogTopic> = LogQuestions[T]['asked'];
export type LogAnswer<T extends LogTopic> = LogQuestions[T]['answer'];

/** One query of any topic. */
export type LogQuestion = {
  [T in LogTopic]: {
    readonly kind: 'ask';
    readonly id: number;
    readonly topic: T;
    readonly asked: AskedQuestion<T>;
  };
}[LogTopic];

export type ToLogWorker =
  | LogQuestion
  | { readonly kind: 'follow'; readonly on: boolean }
  /** Only these recorders of the cluster are heard. */
  | { readonly kind: 'hear'; readonly machines: readonly string[] }
  /** The oldest unacknowledged `entries` message was processed. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'close' };

export interface LogRefusal extends WorkerRefusal {
  readonly code: StoreErrorCode;
  readonly pointer?: string;
}

/** Messages of the thread that answer no query. */
export type LogNotice =
  | { readonly kind: 'entries'; readonly entries: readonly MachineEntry[] }
  | { readonly kind: 'problem'; readonly code: LogStoreErrorCode; readonly message: string };

export type FromLogWorker = Exclude<WorkerMessage, WorkerRefusal> | LogRefusal | LogNotice;
