/** Messages of every thread to its client, besides its own: that it is ready, and the result of each task. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | WorkerRefusal
  /** The last message of a thread that ends by itself. */
  | { readonly kind: 'failure'; readonly message: string };

/** A thread may add more fields of the error. */
export interface WorkerRefusal {
  readonly kind: 'refusal';
  readonly id: number;
  readonly message: string;
}
