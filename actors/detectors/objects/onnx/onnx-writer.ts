import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Writes the part of ONNX's file format that `onnx-translation.ts` needs; field numbers are those of onnx.proto. */

export type OnnxAttribute = { ints: readonly number[] } | { int: number };

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  /** `Uint16Array`: the bits of half-precision numbers. */
  readonly data: Float32Array | Uint16Array | BigInt64Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const lengthDelimited = 2;
const varint = 0;
const irVersion = 8;
const operatorSet = 17;
export const dataTypes = { float32: 1, int64: 7, float16: 10 };
const attributeTypes = { int: 2, ints: 7 };

type Write = (writer: BinaryWriter) => void;

/** @returns a floating-point model in ONNX's file format. */
export function writeOnnx({ nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  number(1, irVersion)(writer);
  message(8, number(2, operatorSet))(writer);
  message(
    7,
    text(2, 'graph'),
    ...nodes.map((node) => message(1, ...nodeFields(node))),
    ...constants.map((constant) => message(5, ...constantFields(constant))),
    ...inputs.map((value) => message(11, ...valueFields(value))),
    ...outputs.map((value) => message(12, ...valueFields(value))),
  )(writer);
  return writer.finish();
}

function nodeFields({ operator, inputs, output, attributes = {} }: OnnxNode): Write[] {
  return [
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      message(
        5,
        text(1, name),
        ...('int' in value
          ? [number(3, value.int), number(20, attributeTypes.int)]
          : [...value.ints.map((int) => number(8, int)), number(20, attributeTypes.ints)]),
      ),
    ),
  ];
}

function constantFields({ name, shape, data }: OnnxConstant): Write[] {
  return [
    ...shape.map((size) => number(1, size)),
    number(2, typeOf(data)),
    text(8, name),
    (writer) =>
      writer.tag(9, lengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

function typeOf(data: OnnxConstant['data']): number {
  if (data instanceof Float32Array) return dataTypes.float32;
  return data instanceof Uint16Array ? dataTypes.float16 : dataTypes.int64;
}

function valueFields({ name, shape }: OnnxValue): Write[] {
  const dimensions = shape.map((size) => message(1, number(1, size)));
  return [text(1, name), message(2, message(1, number(1, dataTypes.float32), message(2, ...dimensions)))];
}

function message(field: number, ...fields: Write[]): Write {
  return (writer) => {
    writer.tag(field, lengthDelimited).fork();
    for (const write of fields) write(writer);
    writer.join();
  };
}

function number(field: number, value: number): Write {
  return (writer) => writer.tag(field, varint).int64(value);
}

function text(field: number, value: string): Write {
  return (writer) => writer.tag(field, lengthDelimited).string(value);
}
