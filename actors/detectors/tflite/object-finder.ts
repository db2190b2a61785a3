import type { Log } from '../../../bus/log.ts';
import { pruneSnapshots, writeSnapshot } from '../../../store/snapshots.ts';
import { ensureModelsFile, findModel } from './catalogue.ts';
import type { ModelSource } from './model-source.ts';
import type { Picture } from './scaler.ts';
import { Turns } from './turns.ts';
import { Workshop } from './workshop.ts';

const pruning = 60 * 60 * 1000;

/** Where the detectors of one host find their files. */
export interface ObjectFinderOptions {
  readonly configDir: string;
  readonly storageDir: string;
  readonly log: Log;
}

/** What the object detectors of one host share: the thread that the models run in, and the turns at it. */
export class ObjectFinder {
  readonly workshop = new Workshop();
  readonly turns = new Turns();
  readonly #options: ObjectFinderOptions;
  readonly #pruning: NodeJS.Timeout;

  constructor(options: ObjectFinderOptions) {
    this.#options = options;
    const { configDir, storageDir, log } = options;
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

  /** @throws {ModelError} */
  find(detectorName: string): Promise<ModelSource> {
    return findModel(this.#options.configDir, detectorName);
  }

  /** Keeps a picture beside an event. Its trouble stops no detection. */
  async keep(eventID: string, picture: Picture, monitorID: string): Promise<void> {
    const { storageDir, log } = this.#options;
    try {
      await writeSnapshot(storageDir, eventID, await this.workshop.do<'jpeg'>({ type: 'jpeg', picture }));
    } catch (error) {
      log.warning(`a snapshot was not kept: ${(error as Error).message}`, monitorID);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await this.workshop.close();
  }
}
