import { pruneSnapshots } from '../../../store/recordings/snapshots.ts';
import type { DetectorHost } from '../detector-contract.ts';
import { FairQueue } from '../fair-queue.ts';
import { InferenceWorker } from './inference/inference-worker.ts';
import { ensureModelsFile, findModel } from './models/model-catalogue.ts';
import type { ModelSource } from './models/model-source.ts';
import type { Picture } from './picture/scaler.ts';
import { SnapshotWriter } from './snapshots/snapshot-writer.ts';

const pruning = 60 * 60 * 1000;

/** The resources that the object detectors of one host share: the inference thread, and the queue for it. */
export class ObjectDetectionResources {
  readonly inferenceWorker: InferenceWorker;
  /** Gives each monitor its turn. */
  readonly queue = new FairQueue();
  readonly #host: DetectorHost;
  readonly #snapshots: SnapshotWriter;
  readonly #pruning: NodeJS.Timeout;
  /** Messages about engines that this host has logged, so that each is logged once. */
  readonly #refusals = new Set<string>();

  constructor(host: DetectorHost) {
    this.#host = host;
    this.inferenceWorker = host.inferenceWorker;
    const { configDir, storageDir, log } = host;
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
    const model = await findModel(this.#host.configDir, detectorName);
    const { engine, refusals } = await this.inferenceWorker.run<'open'>({ type: 'open', source: model });
    this.#host.onModelOpened(model);
    for (const refusal of refusals)
      this.#logRefusal(`${model.name}: runs on ${engine}, because a faster engine refused it: ${refusal}`);
    return { model, engine };
  }

  /** A slower engine must say why: WebAssembly takes three times as long as ONNX Runtime. */
  #logRefusal(message: string): void {
    if (this.#refusals.has(message)) return;
    this.#refusals.add(message);
    this.#host.log.warning(message);
  }

  /** Keeps a picture beside an event. Its trouble stops no detection. */
  async keep(eventID: string, picture: Picture, monitorID: string): Promise<void> {
    try {
      await this.#snapshots.write(eventID, picture);
    } catch (error) {
      this.#host.log.warning(`a snapshot was not kept: ${(error as Error).message}`, monitorID);
    }
  }

  /** Ends once the pictures that were to be kept are. */
  async close(): Promise<void> {
    clearInterval(this.#pruning);
    await Promise.all([this.#snapshots.close(), this.inferenceWorker.close()]);
  }
}
