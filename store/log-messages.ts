import type { BusAddress } from '../bus/connection.ts';
import type { LogEntry } from '../bus/messages.ts';
import type { LogStoreErrorCode } from './log-error.ts';
import type { LogFilter } from './log-filter.ts';

/** What the log store and its thread say to each other. */

/** What the thread begins with. */
export interface Beginning {
  readonly file: string;
  readonly bus: BusAddress;
  readonly maxAgeDays: number;
  readonly maxSizeMegabytes: number;
  /** Somebody follows already: new entries are posted from the first on. */
  readonly following: boolean;
}

export type ToThread =
  | { readonly kind: 'query'; readonly id: number; readonly filter: LogFilter; readonly oldestFirst: boolean }
  | { readonly kind: 'follow'; readonly on: boolean }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly entries: readonly LogEntry[] }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
  /** The last thing that the thread says when it ends by itself. */
  | { readonly kind: 'failure'; readonly message: string }
  | { readonly kind: 'problem'; readonly code: LogStoreErrorCode; readonly message: string };
