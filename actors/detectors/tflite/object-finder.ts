import type { Log } from '../../../bus/log.ts';
import { pruneSnapshots } from '../../../store/snapshots.ts';
import type { DetectorEnvironment } from '../detector.ts';
import { ensureModelsFile, findModel } from './catalogue.ts';
import type { ModelSource } from './model-source.ts';
import type { Picture } from './scaler.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { Turns } from './turns.ts';
import { Workshop } from './workshop.ts';

const pruning = 60 * 60 * 1000;

/** Where the detectors of one host find their files. */
export interface ObjectFinderOptions {
  readonly configDir: string;
  readonly storageDir: string;
  readonly workshop: Workshop;
  readonly log: Log;
  /** Is called with each model that could be opened. */
  readonly onOpen?: (model: ModelSource) => void;
}

/** What the detector host lends to each object detector. */
export interface ObjectEnvironment extends DetectorEnvironment {
  readonly finder: ObjectFinder;
}

/** What the object detectors of one host share: the thread that the models run in, and the turns at it. */
export class ObjectFinder {
  readonly workshop: Workshop;
  readonly turns = new Turns();
  readonly #options: ObjectFinderOptions;
  readonly #snapshots: SnapshotWriter;
  readonly #pruning: NodeJS.Timeout;

  constructor(options: ObjectFinderOptions) {
    this.#options = options;
    this.workshop = options.workshop;
    const { configDir, storageDir, log } = options;
    this.#snapshots = new SnapshotWriter(storageDir, new Workshop());
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
    const engine = await this.workshop.do<'open'>({ type: 'open', source: model });
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
    await Promise.all([this.#snapshots.close(), this.workshop.close()]);
  }
}
