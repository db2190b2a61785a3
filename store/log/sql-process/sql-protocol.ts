import type { StoreErrorCode } from '../../base/store-error.ts';
import type { SqlFormat } from '../sql/sql-format.ts';
import type { SqlResult } from '../sql/sql-runner.ts';

/** What main sends to the process of a statement, one step after the other, and its answers. */
export interface SqlSteps {
  /** Opens what the log's file holds now. `version` of the file: see `LogDatabase.version`. */
  open: { asked: { file: string; folder: string; version: string }; answer: undefined };
  run: { asked: { sql: string }; answer: SqlResult };
  /** Begins a result that is read with `next`. */
  stream: { asked: { sql: string; format: SqlFormat }; answer: undefined };
  next: { asked: undefined; answer: { piece: Uint8Array<ArrayBuffer>; isLast: boolean } };
}
export type SqlStep = keyof SqlSteps;

export type ToSqlHost = {
  [S in SqlStep]: { readonly step: S; readonly asked: SqlSteps[S]['asked'] };
}[SqlStep];

/** Ends the present step, which is answered all the same. */
export type SqlInterrupt = { readonly step: 'interrupt' };

export type FromSqlHost =
  | { readonly kind: 'answer'; readonly answer: SqlSteps[SqlStep]['answer'] }
  | {
      readonly kind: 'refusal';
      readonly code: StoreErrorCode;
      readonly message: string;
      readonly pointer?: string;
    };
