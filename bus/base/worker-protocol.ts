/** What every thread says to its client, besides messages of its own: that it is ready, and how each task went. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | WorkerRefusal
  /** The last one when it ends by itself. */
  | { readonly kind: 'failure'; readonly message: string };

/** A thread may add what else belongs to the error. */
export interface WorkerRefusal {
  readonly kind: 'refusal';
  readonly id: number;
  readonly message: string;
}
