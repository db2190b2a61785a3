import type { TensorInfo, TfliteGraph } from '../files/tflite-file.ts';

/** Elements of a tensor as stored, not dequantised. */
export type TensorData = Float32Array | Int32Array | Uint8Array | Int8Array;

/** A TensorFlow Lite file: its bytes and its parsed graph. */
export interface TfliteModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly graph: TfliteGraph;
}

/**
 * Runs a model once on its only input. The returned outputs, in the model's order, are valid until the next call.
 * Blocks the thread.
 */
export type RunModel = (input: TensorData) => Promise<readonly TensorData[]> | readonly TensorData[];

/** A runtime for models; uses one core. */
export interface Engine {
  /** Name and version of the library that really runs the models. */
  readonly name: string;
  /** @throws an error if the engine cannot run this model; another engine may. */
  load(model: TfliteModel): Promise<RunModel>;
}

/** @returns a view of bytes as numbers of the given type. @throws {TypeError} for an unsupported type. */
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
      throw new TypeError(`tensors of type ${type} are not supported`);
  }
}

/** A model that an engine has loaded: how to run it, its input and its outputs. */
export interface LoadedModel {
  readonly engine: string;
  /** Why faster engines do not run it. */
  readonly refusals?: readonly string[];
  readonly run: RunModel;
  readonly input: TensorInfo;
  readonly outputs: readonly TensorInfo[];
  /** Frees memory that is not garbage-collected. */
  dispose?(): void;
}
