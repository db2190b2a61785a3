import { writeSnapshot } from '../../../../store/recordings/snapshots.ts';
import type { InferenceWorker } from '../inference/inference-worker.ts';
import type { Picture } from '../picture/scaler.ts';

/** Frames that may wait for encoding. */
const maxWaiting = 32;

/** Snapshots arrive faster than they can be encoded. */
class SnapshotOverloadError extends Error {
  override readonly name = 'SnapshotOverloadError';
  readonly code = 'snapshot_overload';
}

/**
 * Encodes and writes the snapshots of events. A frame that shows several objects is encoded once. Encoding takes longer
 * than inference, so it has a thread of its own and does not delay the next frame.
 */
export class SnapshotWriter {
  readonly #storageDir: string;
  readonly #inferenceWorker: InferenceWorker;
  readonly #encoded = new WeakMap<Picture, Promise<Uint8Array>>();
  readonly #writing = new Set<Promise<void>>();
  #waiting = 0;

  /** @param inferenceWorker the thread that encodes; closed by {@link close}. */
  constructor(storageDir: string, inferenceWorker: InferenceWorker) {
    this.#storageDir = storageDir;
    this.#inferenceWorker = inferenceWorker;
  }

  /** @throws {SnapshotOverloadError} {WorkerLostError} or the file system's error. */
  async write(eventID: string, picture: Picture): Promise<void> {
    const writing = this.#encode(picture).then((jpeg) => writeSnapshot(this.#storageDir, eventID, jpeg));
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** Finishes all pending writes, then closes the thread. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writing);
    await this.#inferenceWorker.close();
  }

  #encode(picture: Picture): Promise<Uint8Array> {
    const known = this.#encoded.get(picture);
    if (known !== undefined) return known;
    if (this.#waiting >= maxWaiting) {
      return Promise.reject(new SnapshotOverloadError('too many snapshots are waiting for encoding'));
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
