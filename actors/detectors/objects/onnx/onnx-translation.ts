import type { GraphOperator, GraphTensor, TfliteGraph } from '../files/tflite-file.ts';
import { dataTypes, type OnnxConstant, type OnnxNode, writeOnnx } from './onnx-writer.ts';
import { samePads } from './padding.ts';
import { transpose } from './transposition.ts';

/**
 * Translates a TensorFlow Lite graph to ONNX, as far as floating-point convolutional detectors need it.
 *
 * TensorFlow Lite stores feature maps with interleaved channels (NHWC), ONNX one plane per channel (NCHW). Tensors
 * between the input and the first reshape stay in planes; before a reshape makes a list of them, they are transposed
 * back.
 */

/** The graph uses an operator or a type that is not translated. Another engine may run the original file. */
class UntranslatableError extends Error {
  override readonly name = 'UntranslatableError';
  readonly code = 'model_untranslatable';
}

const operators = {
  add: 0,
  concatenation: 2,
  convolution: 3,
  depthwiseConvolution: 4,
  dequantize: 6,
  logistic: 14,
  reshape: 22,
};
const activations: Readonly<Record<number, 'Relu' | 'Clip' | undefined>> = { 1: 'Relu', 3: 'Clip' };
const samePadding = 0;

/** @throws {UntranslatableError} */
export function translateToOnnx(graph: TfliteGraph): Uint8Array {
  return new Translation(graph).write();
}

class Translation {
  readonly #graph: TfliteGraph;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxConstant[] = [];
  /** Tensor → the operator that computes it. */
  readonly #makers = new Map<number, GraphOperator>();
  /** Dequantized tensor → the constant that stores its values in half precision. */
  readonly #halves = new Map<number, number>();

  constructor(graph: TfliteGraph) {
    this.#graph = graph;
    for (const operator of graph.operators) {
      for (const output of operator.outputs) this.#makers.set(output, operator);
    }
    this.#constants.push(
      { name: 'lowest', shape: [], data: Float32Array.of(0) },
      { name: 'six', shape: [], data: Float32Array.of(6) },
    );
  }

  write(): Uint8Array {
    const { inputs, outputs, operators: all } = this.#graph;
    for (const input of inputs) {
      if (this.#tensor(input).type !== 'float32') throw new UntranslatableError('the input is not float32');
      this.#transpose(`input${input}`, name(input), [0, 3, 1, 2]);
    }
    for (const operator of all) this.#translate(operator);
    const value = (place: number, called: string) => ({ name: called, shape: this.#tensor(place).shape });
    for (const output of outputs) {
      if (this.#isPlanes(output)) throw new UntranslatableError('an output is a feature map');
    }
    return writeOnnx({
      nodes: this.#nodes,
      constants: this.#constants,
      inputs: inputs.map((input) => value(input, `input${input}`)),
      outputs: outputs.map((output) => value(output, name(output))),
    });
  }

  #translate(operator: GraphOperator): void {
    const [first = -1, second = -1, third = -1] = operator.inputs;
    const [output = -1] = operator.outputs;
    const { options } = operator;
    switch (operator.code) {
      case operators.dequantize: {
        if (this.#tensor(first).type !== 'float16') throw new UntranslatableError('the model is quantised');
        this.#halves.set(output, first);
        return;
      }
      case operators.convolution:
        this.#convolve(operator, [first, second, third], false);
        return;
      case operators.depthwiseConvolution:
        this.#convolve(operator, [first, second, third], true);
        return;
      case operators.add:
        this.#activate(options?.int8(0) ?? 0, output, (result) =>
          this.#nodes.push({ operator: 'Add', inputs: [name(first), name(second)], output: result }),
        );
        return;
      case operators.logistic:
        this.#nodes.push({ operator: 'Sigmoid', inputs: [name(first)], output: name(output) });
        return;
      case operators.reshape:
        this.#reshape(first, output);
        return;
      case operators.concatenation: {
        if (this.#isPlanes(output)) throw new UntranslatableError('feature maps are concatenated');
        const axis = { int: options?.int32(0) ?? 0 };
        const inputs = operator.inputs.map(name);
        this.#nodes.push({ operator: 'Concat', inputs, output: name(output), attributes: { axis } });
        return;
      }
      default:
        throw new UntranslatableError(`operator ${operator.custom || operator.code} is not supported`);
    }
  }

  #convolve(operator: GraphOperator, inputs: readonly [number, number, number], depthwise: boolean): void {
    const [input, weights, bias] = inputs;
    const { options } = operator;
    const [output = -1] = operator.outputs;
    if (!options) throw new UntranslatableError('a convolution has no options');
    const { shape } = this.#tensor(weights);
    const [outer = 0, rows = 0, columns = 0, inner = 0] = shape;
    // Depthwise weights are [1, rows, columns, channels], others [out, rows, columns, in].
    const order = depthwise ? [3, 0, 1, 2] : [0, 3, 1, 2];
    this.#constant(weights, order);
    this.#constant(bias);
    const fields = depthwise ? { activation: 4, dilation: 5 } : { activation: 3, dilation: 4 };
    const strides = [options.int32(2, 1), options.int32(1, 1)];
    const dilations = [options.int32(fields.dilation + 1, 1), options.int32(fields.dilation, 1)];
    const sizes = (place: number) => this.#tensor(place).shape.slice(1, 3);
    const pads =
      options.int8(0) === samePadding
        ? samePads(sizes(input), sizes(output), [rows, columns], strides, dilations)
        : [0, 0, 0, 0];
    if (depthwise && outer !== 1)
      throw new UntranslatableError('a depthwise convolution has an unexpected shape');
    this.#activate(options.int8(fields.activation), output, (result) =>
      this.#nodes.push({
        operator: 'Conv',
        inputs: [name(input), name(weights), name(bias)],
        output: result,
        attributes: {
          kernel_shape: { ints: [rows, columns] },
          strides: { ints: strides },
          dilations: { ints: dilations },
          pads: { ints: pads },
          group: { int: depthwise ? this.#channels(input, inner) : 1 },
        },
      }),
    );
  }

  #channels(input: number, weights: number): number {
    const channels = this.#tensor(input).shape[3] ?? 0;
    if (channels !== weights)
      throw new UntranslatableError('a depthwise convolution multiplies its channels');
    return channels;
  }

  #activate(activation: number, output: number, compute: (result: string) => void): void {
    if (activation === 0) {
      compute(name(output));
      return;
    }
    const operator = activations[activation];
    if (!operator) throw new UntranslatableError(`activation ${activation} is not supported`);
    const result = `${name(output)}before`;
    compute(result);
    const bounds = operator === 'Clip' ? ['lowest', 'six'] : [];
    this.#nodes.push({ operator, inputs: [result, ...bounds], output: name(output) });
  }

  #reshape(input: number, output: number): void {
    if (this.#isPlanes(output)) throw new UntranslatableError('a list becomes a feature map');
    let from = name(input);
    if (this.#isPlanes(input)) {
      from = `${name(output)}rows`;
      this.#transpose(name(input), from, [0, 2, 3, 1]);
    }
    const shape = `${name(output)}shape`;
    const sizes = this.#tensor(output).shape;
    this.#constants.push({ name: shape, shape: [sizes.length], data: BigInt64Array.from(sizes, BigInt) });
    this.#nodes.push({ operator: 'Reshape', inputs: [from, shape], output: name(output) });
  }

  /** Whether a tensor is a feature map: it has four dimensions and is not reshaped, nor concatenated from lists. */
  #isPlanes(place: number): boolean {
    if (this.#tensor(place).shape.length !== 4) return false;
    const made = this.#makers.get(place);
    if (made?.code === operators.reshape) return false;
    return made?.code !== operators.concatenation || made.inputs.some((input) => this.#isPlanes(input));
  }

  #transpose(from: string, to: string, order: readonly number[]): void {
    const attributes = { perm: { ints: order } };
    this.#nodes.push({ operator: 'Transpose', inputs: [from], output: to, attributes });
  }

  /** @param order new order of the axes; unchanged if undefined. */
  #constant(place: number, order?: readonly number[]): void {
    const called = name(place);
    if (this.#nodes.some(({ output }) => output === called)) return;
    const { shape, type, data } = this.#tensor(this.#halves.get(place) ?? place);
    if ((type !== 'float32' && type !== 'float16') || data.length === 0) {
      throw new UntranslatableError('weights are not floating-point constants');
    }
    // The shape is checked against the data: a loop over a forged shape could run almost forever.
    const values = shape.every((size) => size > 0) ? shape.reduce((product, size) => product * size, 1) : 0;
    const width = type === 'float16' ? 2 : 4;
    if (data.length !== values * width || (order && shape.length !== order.length)) {
      throw new UntranslatableError('weights do not fit their shape');
    }
    // A copy, because the offset in the file need not be aligned to the size of the numbers.
    const { buffer } = Uint8Array.from(data);
    const numbers = type === 'float16' ? new Uint16Array(buffer) : new Float32Array(buffer);
    const stored = `${called}stored`;
    const to = { int: dataTypes.float32 };
    this.#constants.push({
      name: stored,
      shape: order?.map((axis) => at(shape, axis)) ?? shape,
      data: order ? transpose(numbers, shape, order) : numbers,
    });
    // ONNX Runtime folds this cast into a constant when it loads the model.
    this.#nodes.push({ operator: 'Cast', inputs: [stored], output: called, attributes: { to } });
  }

  #tensor(place: number): GraphTensor {
    const tensor = this.#graph.tensors[place];
    if (!tensor) throw new UntranslatableError('an operator lacks an input');
    return tensor;
  }
}

const name = (place: number) => `t${place}`;
const at = (list: readonly number[], index: number) => list[index] as number;
