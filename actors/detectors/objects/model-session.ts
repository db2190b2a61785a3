import type { DetectorEnvironment } from '../detector-contract.ts';
import type { WantedDetections } from './decoding/output-decoders.ts';
import type { ModelSource } from './models/model-source.ts';
import type { ObjectDetectionResources } from './object-detection-resources.ts';
import type { DetectedBox } from './picture/bounding-box.ts';
import type { Picture, Region } from './picture/scaler.ts';

/** A model that could not be had, from a server that is down perhaps, is asked for again. */
const retryPauseMs = 60_000;

/** One monitor's use of a model: opens it, until it can be had, and looks at frames with it. */
export class ModelSession {
  readonly #environment: DetectorEnvironment;
  readonly #resources: ObjectDetectionResources;
  readonly #name: string;
  readonly #onOpen: (engine: string) => void;
  #model: ModelSource | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** The trouble that was logged last; empty when all is well. */
  #logged = '';
  #closed = false;

  /**
   * @param name as in `tflite.toml`.
   * @param onOpen gets the true name of the engine, once.
   */
  constructor(
    environment: DetectorEnvironment,
    resources: ObjectDetectionResources,
    name: string,
    onOpen: (engine: string) => void,
  ) {
    this.#environment = environment;
    this.#resources = resources;
    this.#name = name;
    this.#onOpen = onOpen;
    void this.#open();
  }

  /**
   * @returns boxes in fractions of the region; undefined when the model failed, which has been logged, or when the
   * session was closed meanwhile.
   */
  async look(
    picture: Picture,
    region: Region,
    wanted: WantedDetections,
  ): Promise<readonly DetectedBox[] | undefined> {
    const source = this.#model;
    if (!source) return undefined;
    try {
      const task = { type: 'look', source, picture, region, wanted } as const;
      const seen = await this.#resources.inferenceWorker.run<'look'>(task);
      // The same trouble is worth another line when it comes back.
      this.#logged = '';
      return this.#closed ? undefined : seen;
    } catch (error) {
      this.#logOnce(`${source.name}: ${(error as Error).message}`);
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #open(): Promise<void> {
    const { monitorID, log } = this.#environment;
    try {
      const { model, engine } = await this.#resources.open(this.#name);
      if (this.#closed) return;
      log.info(`${model.name}: runs on ${engine}`, monitorID);
      this.#logged = '';
      this.#model = model;
      this.#onOpen(engine);
    } catch (error) {
      if (this.#closed) return;
      this.#logOnce((error as Error).message);
      this.#retry = setTimeout(() => void this.#open(), retryPauseMs);
    }
  }

  /** Once for each trouble, not for each attempt or frame. */
  #logOnce(message: string): void {
    const { log, monitorID } = this.#environment;
    if (message !== this.#logged) log.error(message, monitorID);
    this.#logged = message;
  }
}
