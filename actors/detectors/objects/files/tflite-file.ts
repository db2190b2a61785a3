import { FlatbufferTable } from './flatbuffer.ts';
import { ModelError } from './model-error.ts';

/** The structure of a TensorFlow Lite file, as far as validation and the translation to ONNX need it. */

const identifier = 'TFL3';

export const tensorTypes = {
  0: 'float32',
  1: 'float16',
  2: 'int32',
  3: 'uint8',
  4: 'int64',
  9: 'int8',
} as const;
export type TensorType = (typeof tensorTypes)[keyof typeof tensorTypes] | 'other';

export interface Quantization {
  /** The real value is `(stored - zero) * scale`. */
  readonly scale: number;
  readonly zero: number;
}

export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly quantization?: Quantization;
}

export interface GraphTensor extends TensorInfo {
  /** Bytes of a constant, a view into the file; empty for a computed tensor. */
  readonly data: Uint8Array;
}

export interface GraphOperator {
  /** The number of a built-in operator, 32 for a custom one. */
  readonly code: number;
  /** The name of a custom operator. */
  readonly custom: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: FlatbufferTable | undefined;
}

export interface TfliteGraph {
  readonly tensors: readonly GraphTensor[];
  readonly operators: readonly GraphOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const placeholderForLargeCodes = 127;

/**
 * Reads the first graph of a TensorFlow Lite file.
 *
 * @throws {ModelError} if the file is of another kind, or damaged.
 */
export function readTfliteFile(name: string, bytes: Uint8Array): TfliteGraph {
  if (new TextDecoder('latin1').decode(bytes.subarray(4, 8)) !== identifier) {
    throw new ModelError(`${name}: this is not a TensorFlow Lite model`);
  }
  try {
    return readGraph(FlatbufferTable.root(bytes));
  } catch (cause) {
    throw new ModelError(`${name}: the model is truncated or damaged`, { cause });
  }
}

function readGraph(model: FlatbufferTable): TfliteGraph {
  const [graph] = model.tables(2);
  if (!graph) throw new RangeError('there is no graph');
  const buffers = model.tables(4);
  const codes = model.tables(1).map((code) => {
    const old = code.int8(0);
    return { code: old === placeholderForLargeCodes ? code.int32(3) : old, custom: code.text(1) };
  });
  const tensors = graph.tables(0).map((tensor): GraphTensor => {
    const quantization = readQuantization(tensor.table(4));
    return {
      name: tensor.text(3),
      shape: tensor.int32s(0),
      type: tensorTypes[tensor.int8(1) as keyof typeof tensorTypes] ?? 'other',
      data: item(buffers, tensor.int32(2)).bytes(0),
      ...(quantization && { quantization }),
    };
  });
  const known = (places: number[]) => {
    // -1 marks an absent optional input.
    for (const place of places) if (place !== -1) item(tensors, place);
    return places;
  };
  const operators = graph.tables(3).map(
    (operator): GraphOperator => ({
      ...item(codes, operator.int32(0)),
      inputs: known(operator.int32s(1)),
      outputs: known(operator.int32s(2)),
      options: operator.table(4),
    }),
  );
  return { tensors, operators, inputs: known(graph.int32s(1)), outputs: known(graph.int32s(2)) };
}

function readQuantization(table: FlatbufferTable | undefined): Quantization | undefined {
  const [scale] = table?.float32s(2) ?? [];
  const [zero = 0] = table?.int64s(3) ?? [];
  return scale === undefined || scale === 0 ? undefined : { scale, zero };
}

function item<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no item ${index}`);
  return found;
}
