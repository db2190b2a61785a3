import type { Log } from '../../../bus/log.ts';
import { pruneSnapshots } from '../../../store/recordings/snapshots.ts';
import type { DetectorEnvironment } from '../detector-contract.ts';
import { FairQueue } from './inference/fair-queue.ts';
import { InferenceWorker } from './inference/inference-worker.ts';
import { ensureModelsFile, findModel } from './models/model-catalogue.ts';
import type { ModelSource } from './models/model-source.ts';
import type { Picture } from './picture/scaler.ts';
import { SnapshotWriter } from './snapshots/snapshot-writer.ts';

const pruning = 60 * 60 * 1000;

/** Where the detectors of one host find their files. */
export interface ObjectDetectionResourcesOptions {
  readonly configDir: string;
  readonly storageDir: string;
  readonly inferenceWorker: InferenceWorker;
  readonly log: Log;
  /** Is called with each model that could be opened. */
  readonly onOpen?: (model: ModelSource) => void;
}

/** What the detector host lends to each object detector. */
export interface ObjectDetectorEnvironment extends DetectorEnvironment {
  readonly objectDetection: ObjectDetectionResources;
}

/** What the object detectors of one host share: the thread that the models run in, and the turns at it. */
export class ObjectDetectionResources {
  readonly inferenceWorker: InferenceWorker;
  readonly turns = new FairQueue();
  readonly #options: ObjectDetectionResourcesOptions;
  readonly #snapshots: SnapshotWriter;
  readonly #pruning: NodeJS.Timeout;

  constructor(options: ObjectDetectionResourcesOptions) {
    this.#options = options;
    this.inferenceWorker = options.inferenceWorker;
    const { configDir, storageDir, log } = options;
    this.#snapshots = new SnapshotWriter(storageDir, new InferenceWorker());
    ensureModelsFile(configDir).catch((error: Error) =>
      log.warning(`tflite.toml was not written: ${error.message}`),
    );
    const prune = () =>
      pruneSnapshots(storageDir, Date.now()).catch((error: Error) =>
        log.warning(`old snapshots were not removed: ${error.message}`),
      );
    void prune();
    this.#pruning = setInterval(() => void prune(), pruning);
  }

  /**
   * Opens the model behind a monitor's `detectorName`.
   *
   * @returns it, and the engine that runs it.
   * @throws {ModelError} or, with the message of what went wrong, an Error.
   */
  async open(detectorName: string): Promise<{ model: ModelSource; engine: string }> {
    const { configDir, onOpen } = this.#options;
    const model = await findModel(configDir, detectorName);
    const engine = await this.inferenceWorker.run<'open'>({ type: 'open', source: model });
    onOpen?.(model);
    return { model, engine };
  }

  /** Keeps a picture beside an event. Its trouble stops no detection. */
  async keep(eventID: string, picture: Picture, monitorID: string): Promise<void> {
    try {
      await this.#snapshots.write(eventID, picture);
    } catch (error) {
      this.#options.log.warning(`a snapshot was not kept: ${(error as Error).message}`, monitorID);
    }
  }

  /** Ends once the pictures that were to be kept are. */
  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await Promise.all([this.#snapshots.close(), this.inferenceWorker.close()]);
  }
}
