import { writeSnapshot } from '../../../../store/recordings/snapshots.ts';
import type { InferenceWorker } from '../inference/inference-worker.ts';
import type { Picture } from '../picture/scaler.ts';

/** So many pictures wait to be encoded at most. */
const maxWaiting = 32;

/** More pictures were to be kept than can be encoded. */
export class SnapshotOverloadError extends Error {
  override readonly name = 'SnapshotOverloadError';
  readonly code = 'snapshot_overload';
}

/**
 * Writes pictures beside events. What shows many at once is encoded once, and in a thread of its own: it takes
 * longer than to look at the picture, and whoever is to be looked at next does not wait for it.
 */
export class SnapshotWriter {
  readonly #storageDir: string;
  readonly #inferenceWorker: InferenceWorker;
  readonly #encoded = new WeakMap<Picture, Promise<Uint8Array>>();
  readonly #writing = new Set<Promise<void>>();
  #waiting = 0;

  /** @param inferenceWorker is ended with this. */
  constructor(storageDir: string, inferenceWorker: InferenceWorker) {
    this.#storageDir = storageDir;
    this.#inferenceWorker = inferenceWorker;
  }

  /** @throws {SnapshotOverloadError} {WorkerLostError} or an Error of the file system. */
  async write(eventID: string, picture: Picture): Promise<void> {
    const writing = this.#encode(picture).then((jpeg) => writeSnapshot(this.#storageDir, eventID, jpeg));
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** Ends once all that was to be written is. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writing);
    await this.#inferenceWorker.close();
  }

  #encode(picture: Picture): Promise<Uint8Array> {
    const known = this.#encoded.get(picture);
    if (known !== undefined) return known;
    if (this.#waiting >= maxWaiting) {
      return Promise.reject(new SnapshotOverloadError('too many pictures wait to be encoded'));
    }
    this.#waiting += 1;
    const { width, height, data } = picture;
    const encoded = this.#inferenceWorker
      .run<'jpeg'>({ type: 'jpeg', picture: { width, height, data } })
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#encoded.set(picture, encoded);
    return encoded;
  }
}
