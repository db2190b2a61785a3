import type { TensorInfo, TfliteGraph } from '../files/tflite-file.ts';

/** Numbers of a tensor, as they are stored. */
export type TensorData = Float32Array | Int32Array | Uint8Array | Int8Array;

/** A TensorFlow Lite file, whole and read. */
export interface TfliteModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly graph: TfliteGraph;
}

/**
 * Runs a model once: from the numbers of its only input to those of its outputs, in their order, which hold until
 * the next call. It blocks its thread meanwhile.
 */
export type RunModel = (input: TensorData) => Promise<readonly TensorData[]> | readonly TensorData[];

/** Something that runs models, on one core. */
export interface Engine {
  /** Its true name and version. */
  readonly name: string;
  /** @throws when it cannot run this model; another engine may. */
  load(model: TfliteModel): Promise<RunModel>;
}

/** Views bytes as the numbers they are. */
export function viewTensorData(
  type: string,
  buffer: ArrayBufferLike,
  start: number,
  bytes: number,
): TensorData {
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, start, bytes / 4);
    case 'int32':
      return new Int32Array(buffer, start, bytes / 4);
    case 'uint8':
      return new Uint8Array(buffer, start, bytes);
    case 'int8':
      return new Int8Array(buffer, start, bytes);
    default:
      throw new TypeError(`numbers of the type ${type} cannot be read`);
  }
}

/** What runs, and what it takes and gives. */
export interface LoadedModel {
  readonly engine: string;
  readonly run: RunModel;
  readonly input: TensorInfo;
  readonly outputs: readonly TensorInfo[];
  /** Gives back what is not collected. */
  dispose?(): void;
}
