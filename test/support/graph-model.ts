import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphOperator, TfliteGraph } from '../../actors/detectors/objects/files/tflite-file.ts';
import { transpose } from '../../actors/detectors/objects/onnx/transposition.ts';

/** A node as TensorFlow writes it. */
interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly quantization?: { readonly dtype: 'float16' };
  readonly data: Uint8Array;
}

const activations: Readonly<Record<number, string>> = { 1: 'Relu', 3: 'Relu6' };
const text = (value: string) => ({ s: Buffer.from(value).toString('base64') });
const float = { T: { type: 'DT_FLOAT' } };
const list = (...i: number[]) => ({ list: { i } });
const nameOf = (place: number) => `t${String(place).padStart(4, '0')}`;

/**
 * Writes a TensorFlow Lite model of half-precision weights as the TensorFlow.js graph model that it would be, had it
 * been made with TensorFlow's own converter: `model.json` and its weights, into a folder.
 *
 * @throws when it uses anything but what our default model uses.
 */
export async function writeGraphModel(folder: string, graph: TfliteGraph): Promise<void> {
  const nodes: Node[] = [];
  const weights: Weight[] = [];
  const halves = new Map<number, number>();
  const [input = 0] = graph.inputs;
  const dim = graph.tensors[input]?.shape.map((size) => ({ size: String(size) }));
  nodes.push({
    name: nameOf(input),
    op: 'Placeholder',
    attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } },
  });
  for (const operator of graph.operators) translate(operator);

  await mkdir(folder, { recursive: true });
  const manifest = weights.map(({ data: _, ...weight }) => weight);
  const model = {
    format: 'graph-model',
    modelTopology: { node: nodes, versions: { producer: 1 } },
    weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(model));
  await writeFile(join(folder, 'weights.bin'), Buffer.concat(weights.map(({ data }) => data)));

  function translate({ code, inputs, outputs: [output = 0], options }: GraphOperator): void {
    const [first = 0, second = 0, third = 0] = inputs;
    const simple = (op: string, from: readonly string[], attr = {}) =>
      nodes.push({ name: nameOf(output), op, input: from, attr: { ...float, ...attr } });
    const activated = (kind: number, add: (name: string) => void) => {
      const op = activations[kind];
      add(op ? `${nameOf(output)}/before` : nameOf(output));
      if (op) simple(op, [`${nameOf(output)}/before`]);
    };
    switch (code) {
      case 0:
        activated(options?.int8(0) ?? 0, (name) =>
          nodes.push({ name, op: 'AddV2', input: [nameOf(first), nameOf(second)], attr: float }),
        );
        return;
      case 2:
        constant(`${nameOf(output)}/axis`, [], Int32Array.of(options?.int32(0) ?? 0));
        simple('ConcatV2', [...inputs.map(nameOf), `${nameOf(output)}/axis`], {
          N: { i: String(inputs.length) },
        });
        return;
      case 3:
      case 4: {
        const depthwise = code === 4;
        // [out, rows, columns, in] becomes [rows, columns, in, out]; depthwise ones are [1, rows, columns, channels].
        half(second, [1, 2, 3, 0]);
        half(third);
        const convolved = `${nameOf(output)}/convolved`;
        nodes.push({
          name: convolved,
          op: depthwise ? 'DepthwiseConv2dNative' : 'Conv2D',
          input: [nameOf(first), nameOf(second)],
          attr: {
            ...float,
            strides: list(1, options?.int32(2, 1) ?? 1, options?.int32(1, 1) ?? 1, 1),
            dilations: list(1, 1, 1, 1),
            padding: text(options?.int8(0) === 0 ? 'SAME' : 'VALID'),
            data_format: text('NHWC'),
          },
        });
        activated(options?.int8(depthwise ? 4 : 3) ?? 0, (name) =>
          nodes.push({ name, op: 'BiasAdd', input: [convolved, nameOf(third)], attr: float }),
        );
        return;
      }
      case 6:
        halves.set(output, first);
        return;
      case 14:
        simple('Sigmoid', [nameOf(first)]);
        return;
      case 22: {
        const shape = graph.tensors[output]?.shape ?? [];
        constant(`${nameOf(output)}/shape`, [shape.length], Int32Array.from(shape));
        simple('Reshape', [nameOf(first), `${nameOf(output)}/shape`]);
        return;
      }
      default:
        throw new Error(`operator ${code} is not written`);
    }
  }

  function constant(name: string, shape: readonly number[], numbers: Int32Array): void {
    nodes.push({ name, op: 'Const', attr: { dtype: { type: 'DT_INT32' } } });
    weights.push({ name, shape, dtype: 'int32', data: new Uint8Array(numbers.buffer) });
  }

  function half(place: number, order?: readonly number[]): void {
    const { shape = [], data = new Uint8Array() } = graph.tensors[halves.get(place) ?? place] ?? {};
    const numbers = new Uint16Array(Uint8Array.from(data).buffer);
    const turned = order ? transpose(numbers, shape, order) : numbers;
    const name = nameOf(place);
    nodes.push({ name, op: 'Const', attr: { dtype: { type: 'DT_FLOAT' } } });
    weights.push({
      name,
      shape: order ? order.map((axis) => shape[axis] ?? 1) : shape,
      dtype: 'float32',
      quantization: { dtype: 'float16' },
      data: new Uint8Array(turned.buffer, turned.byteOffset, turned.byteLength),
    });
  }
}
