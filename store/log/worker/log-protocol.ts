import type { WorkerMessage, WorkerRefusal } from '../../../bus/base/worker-protocol.ts';
import type { LogEntry } from '../../../bus/messages.ts';
import type { BusAddress } from '../../../bus/nats/bus.ts';
import type { StoreErrorCode } from '../../base/store-error.ts';
import type { ExportFormat } from '../export/export-encoding.ts';
import type { LogFilter } from '../read/log-filter.ts';
import type { StatsQuestion, StatsRow } from '../read/log-stats.ts';
import type { StatusTotals } from '../read/log-totals.ts';
import type { LogStoreErrorCode } from '../schema/log-store-error.ts';
import type { SqlFormat } from '../sql/sql-format.ts';
import type { SqlResult } from '../sql/sql-runner.ts';

/** What the log store and its thread say to each other. */

/** What the thread begins with. */
export interface LogWorkerStart {
  readonly file: string;
  readonly bus: BusAddress;
  /** When the recorder began, Unix microseconds: the same for a thread that is started again. */
  readonly began: number;
  readonly maxAgeDays: number;
  readonly maxSizeMegabytes: number;
  /** Somebody follows already: new entries are posted from the first on. */
  readonly following: boolean;
}

/** What the thread can be asked, and what it answers. */
export interface LogQuestions {
  /** The newest (or the oldest) entries that match, in that order. */
  page: { asked: { filter: LogFilter; oldestFirst: boolean }; answer: LogEntry[] };
  stats: { asked: StatsQuestion; answer: StatsRow[] };
  /** Begins a download and answers with its number. */
  openExport: { asked: { filter: LogFilter; format: ExportFormat }; answer: number };
  openSql: { asked: { sql: string; format: SqlFormat }; answer: number };
  /** The download's next piece, undefined behind the last one. */
  readDownload: { asked: { download: number }; answer: Uint8Array<ArrayBuffer> | undefined };
  closeDownload: { asked: { download: number }; answer: undefined };
  totals: { asked: undefined; answer: StatusTotals };
  sql: { asked: { sql: string }; answer: SqlResult };
}
export type LogTopic = keyof LogQuestions;
export type AskedQuestion<T extends LogTopic> = LogQuestions[T]['asked'];
export type LogAnswer<T extends LogTopic> = LogQuestions[T]['answer'];

/** One question of any topic. */
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
  /** Nobody waits for the answer to this question any more. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'follow'; readonly on: boolean }
  /** The oldest `entries` that were not dealt with are. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'close' };

export interface LogRefusal extends WorkerRefusal {
  readonly code: StoreErrorCode;
  readonly pointer?: string;
}

/** What the thread says without being asked. */
export type LogNotice =
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
  | { readonly kind: 'problem'; readonly code: LogStoreErrorCode; readonly message: string };

export type FromLogWorker = Exclude<WorkerMessage, WorkerRefusal> | LogRefusal | LogNotice;
