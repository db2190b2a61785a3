import type { Runnable } from './model.ts';
import { ModelError } from './model-error.ts';
import type { TensorInfo } from './tflite-file.ts';

/** The part of TensorFlow.js that we use; its own types come only with it, and it is not everywhere. */
interface TensorFlow {
  readonly version: { readonly 'tfjs-node'?: string };
  readonly io: { fileSystem(path: string): object };
  loadGraphModel(handler: object): Promise<GraphModel>;
  tensor(values: unknown, shape: readonly number[], type: string): Tensor;
}
interface GraphModel {
  readonly inputs: readonly ModelTensor[];
  readonly outputs: readonly ModelTensor[];
  executeAsync(input: Tensor, outputs: readonly string[]): Promise<Tensor | Tensor[]>;
}
interface ModelTensor {
  readonly name: string;
  readonly shape?: readonly number[];
  readonly dtype: string;
}
interface Tensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
  dispose(): void;
}

/** A variable: what is not installed must not be looked for when this is compiled. */
const packageName = '@tensorflow/tfjs-node';

/**
 * Opens a TensorFlow.js graph model with TensorFlow itself.
 *
 * @param path of its `model.json`.
 * @param size of the input where the model leaves it open.
 * @throws {ModelError}
 */
export async function openTfjsModel(
  name: string,
  path: string,
  size: readonly [width: number, height: number] | undefined,
): Promise<Runnable> {
  let tensorflow: TensorFlow;
  try {
    const imported = (await import(packageName)) as { default?: TensorFlow } & TensorFlow;
    tensorflow = imported.default ?? imported;
  } catch (cause) {
    throw new ModelError(`${name}: a TensorFlow.js model needs ${packageName}, which is not installed`, {
      cause,
    });
  }
  let model: GraphModel;
  try {
    model = await tensorflow.loadGraphModel(tensorflow.io.fileSystem(path));
  } catch (cause) {
    throw new ModelError(`${name}: the model cannot be read: ${path}`, { cause });
  }
  const [input, ...others] = model.inputs;
  if (!input?.shape || others.length > 0) throw new ModelError(`${name}: a detector has one input`);
  const [, height = -1, width = -1, colours = 3] = input.shape;
  const info = describe(input, [
    1,
    height > 0 ? height : (size?.[1] ?? 0),
    width > 0 ? width : (size?.[0] ?? 0),
    colours,
  ]);
  // By name they stand in the order of post-processing: boxes, classes, scores, and their number.
  const outputs = [...model.outputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = outputs.map((output) => output.name);
  const run: Runnable['run'] = async (numbers) => {
    const picture = tensorflow.tensor(numbers, info.shape, info.type === 'uint8' ? 'int32' : info.type);
    const results = [await model.executeAsync(picture, names)].flat();
    const read = await Promise.all(results.map((result) => result.data()));
    for (const tensor of [picture, ...results]) tensor.dispose();
    return read;
  };
  return {
    engine: `TensorFlow (${packageName} ${tensorflow.version['tfjs-node'] ?? ''})`,
    run,
    input: info,
    outputs: outputs.map((output) => describe(output, output.shape ?? [])),
  };
}

function describe({ name, dtype }: ModelTensor, shape: readonly number[]): TensorInfo {
  return { name, shape, type: dtype === 'float32' ? 'float32' : 'uint8' };
}
