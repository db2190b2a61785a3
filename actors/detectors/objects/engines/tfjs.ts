import { dirname, join } from 'node:path';
import { limits, readLimitedFile } from '../files/limited-reading.ts';
import { ModelError } from '../files/model-error.ts';
import type { TensorInfo } from '../files/tflite-file.ts';
import type { LoadedModel, TensorData } from './engine.ts';
import { type GraphModel, openTensorFlow, type Tensor, type TensorFlow } from './tensorflow.ts';

/** Names of the outputs of TensorFlow's post-processing, in our order. */
const postProcessed = ['detection_boxes', 'detection_classes', 'detection_scores', 'num_detections'];
/** Pixels: side of the input of models that accept any size. */
const usualSize = 300;

/**
 * Opens a TensorFlow.js graph model.
 *
 * @param path path of its `model.json`.
 * @param size input size in pixels for models that accept any size.
 * @throws {ModelError}
 */
export async function openTfjsModel(
  name: string,
  path: string,
  size: readonly [width: number, height: number] = [usualSize, usualSize],
): Promise<LoadedModel> {
  const { tensorflow, name: engine } = await openTensorFlow().catch((cause) => {
    throw new ModelError(`${name}: a TensorFlow.js model needs TensorFlow.js, which is not installed`, {
      cause,
    });
  });
  const model = await load(tensorflow, name, path);
  try {
    return await prepare(tensorflow, model, { name, engine, size });
  } catch (error) {
    // The weights are not garbage-collected.
    model.dispose();
    throw error;
  }
}

interface OpenContext {
  readonly name: string;
  readonly engine: string;
  readonly size: readonly [width: number, height: number];
}

async function prepare(
  tensorflow: TensorFlow,
  model: GraphModel,
  { name, engine, size }: OpenContext,
): Promise<LoadedModel> {
  const [first, ...others] = model.inputs;
  if (!first?.shape || others.length > 0) throw new ModelError(`${name}: a detector has one input`);
  const [, height = -1, width = -1, colours = 3] = first.shape;
  const shape = [1, height > 0 ? height : size[1], width > 0 ? width : size[0], colours];
  const input: TensorInfo = {
    name: first.name,
    shape,
    type: first.dtype === 'float32' ? 'float32' : 'uint8',
  };
  const names = outputNames(model);

  const infer = async (numbers: TensorData) => {
    const picture = tensorflow.tensor(numbers, shape, input.type === 'uint8' ? 'int32' : input.type);
    let results: readonly Tensor[] = [];
    try {
      results = [await execute(picture)].flat();
      const read = await Promise.all(results.map((result) => result.data()));
      return { read, shapes: results.map((result) => result.shape) };
    } finally {
      for (const tensor of [picture, ...results]) tensor.dispose();
    }
  };
  let execute: (picture: Tensor) => Tensor | Tensor[] | Promise<Tensor | Tensor[]>;
  let shapes: readonly (readonly number[])[];
  // A first run on a black picture: only its results show the output shapes, and whether the model contains loops
  // (`execute` fails on those, `executeAsync` does not).
  const black = new (input.type === 'uint8' ? Uint8Array : Float32Array)(shape.reduce((a, b) => a * b));
  try {
    execute = (picture) => model.execute(picture, names);
    shapes = (await infer(black)).shapes;
  } catch {
    execute = (picture) => model.executeAsync(picture, names);
    shapes = await infer(black).then(
      (inferred) => inferred.shapes,
      (cause) => {
        throw new ModelError(`${name}: the model cannot be run`, { cause });
      },
    );
  }
  return {
    engine,
    run: async (numbers) => (await infer(numbers)).read,
    dispose: () => model.dispose(),
    input,
    outputs: names.map((output, index) => ({ name: output, shape: shapes[index] ?? [], type: 'float32' })),
  };
}

async function load(tensorflow: TensorFlow, name: string, path: string): Promise<GraphModel> {
  try {
    return await tensorflow.loadGraphModel({ load: () => readGraphModel(path) });
  } catch (cause) {
    throw new ModelError(`${name}: the model cannot be read: ${path}`, { cause });
  }
}

/** Reads a graph model's files into the form that TensorFlow.js loads. */
async function readGraphModel(path: string): Promise<object> {
  const text = (await readLimitedFile(path, limits.model)).toString();
  const { weightsManifest, ...model } = JSON.parse(text) as {
    weightsManifest: { paths: string[]; weights: object[] }[];
  };
  const files = weightsManifest.flatMap(({ paths }) => paths);
  const parts = await Promise.all(
    files.map((file) => readLimitedFile(join(dirname(path), file), limits.model)),
  );
  return {
    ...model,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weightData: Uint8Array.from(Buffer.concat(parts)).buffer,
  };
}

/** Outputs of post-processing by their names in the model's signature; other outputs sorted by name. */
function outputNames({ outputs, modelSignature }: GraphModel): string[] {
  const signed = postProcessed.flatMap((key) => modelSignature?.outputs?.[key]?.name ?? []);
  return signed.length === postProcessed.length ? signed : outputs.map(({ name }) => name).sort();
}
