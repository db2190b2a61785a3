import { join } from 'node:path';
import {
  type DecodeOutputs,
  makeDecoder,
  type OutputFormat,
  recogniseFormat,
  type WantedDetections,
} from '../decoding/output-decoders.ts';
import type { Engine, LoadedModel, TensorData, TfliteModel } from '../engines/engine.ts';
import { openLiteRt } from '../engines/litert.ts';
import { openOnnxRuntime } from '../engines/onnxruntime.ts';
import { openTfjsModel } from '../engines/tfjs.ts';
import { ModelError } from '../files/model-error.ts';
import { readTfliteFile, type TensorInfo } from '../files/tflite-file.ts';
import type { BoundingBox, DetectedBox } from '../picture/bounding-box.ts';
import { type Picture, type PixelRange, type Region, Scaler } from '../picture/scaler.ts';
import { defaultModelLabels, readDefaultModel } from './default-model.ts';
import { fetchFile } from './model-download.ts';
import { readModelLabels } from './model-labels.ts';
import type { ModelSource } from './model-source.ts';

/** A loaded model, ready for inference. */
export interface Model {
  /** The true name of what runs it. */
  readonly engine: string;
  /** Why faster engines do not, one sentence each. */
  readonly refusals: readonly string[];
  /** @returns boxes in fractions of the region, best first. Blocks its thread meanwhile. */
  look(picture: Picture, region: Region, wanted: WantedDetections): Promise<DetectedBox[]>;
}

/** Fastest first. The next one is tried if an engine is not installed or cannot run the model. */
const engines: readonly (() => Promise<Engine>)[] = [openOnnxRuntime, openLiteRt];

const rememberedScalers = 16;
/** Pixels, as in tflite.toml; limits the memory of the input tensor, which is kept. */
const maxSide = 4096;
/** Bounds of a minimum score: beyond them its logit would be infinite. */
const [lowest, highest] = [0.01, 0.99];

/** @throws {ModelError} */
export async function openModel(source: ModelSource, candidates = engines): Promise<Model> {
  if (source.kind === 'default') {
    const runnable = await openTflite(source.name, await readDefaultModel(), candidates);
    return prepare(source.name, runnable, defaultModelLabels, 'ssd');
  }
  const { name, downloads, sha256, labels } = source;
  // Labels are checked first: an error after the model is open would require closing it.
  if (labels === undefined) throw new ModelError(`${name}: there are no labels`);
  const bytes = await fetchFile({ name, what: 'list of labels', from: labels, downloads });
  const text = new TextDecoder().decode(bytes);
  readModelLabels(name, text, 0);
  const runnable =
    source.kind === 'tfjs'
      ? await openTfjsModel(name, join(source.model, 'model.json'), source.size)
      : await openTflite(
          name,
          await fetchFile({ name, what: 'model', from: source.model, sha256, downloads }),
          candidates,
        );
  try {
    const format = formatOf(source, runnable);
    // Class 0 of an SSD is the background, unless post-processing has removed it.
    return prepare(name, runnable, readModelLabels(name, text, format === 'ssd' ? 1 : 0), format);
  } catch (error) {
    runnable.dispose?.();
    throw error;
  }
}

/** @throws {ModelError} if the model differs from its configuration, or its format is unknown. */
function formatOf(
  { name, format: expected, size }: Exclude<ModelSource, { kind: 'default' }>,
  { input, outputs }: LoadedModel,
): OutputFormat {
  const [width, height] = sizeOf(name, input);
  const format = recogniseFormat({ tensors: outputs, size: [width, height] });
  if (!format) {
    const shapes = outputs.map(({ shape }) => `[${shape}]`).join(' ');
    throw new ModelError(`${name}: outputs of the shape ${shapes} are not those of a known detector`);
  }
  if (expected && expected !== format) {
    throw new ModelError(`${name}: the model's format is ${format}, expected ${expected}`);
  }
  if (size && (size[0] !== width || size[1] !== height)) {
    throw new ModelError(`${name}: the model's input is ${width}×${height}, expected ${size.join('×')}`);
  }
  return format;
}

async function openTflite(name: string, bytes: Uint8Array, candidates: typeof engines): Promise<LoadedModel> {
  const graph = readTfliteFile(name, bytes);
  const model: TfliteModel = { name, bytes, graph };
  const refusals: string[] = [];
  let cause: unknown;
  for (const open of candidates) {
    let engine: Engine | undefined;
    try {
      engine = await open();
      const [input] = graph.inputs.map((place) => graph.tensors[place]);
      if (!input || graph.inputs.length !== 1) throw new ModelError(`${name}: a detector has one input`);
      const outputs = graph.outputs.flatMap((place) => graph.tensors[place] ?? []);
      return { engine: engine.name, refusals, run: await engine.load(model), input, outputs };
    } catch (error) {
      if (error instanceof ModelError) throw error;
      cause = error;
      const reason = error instanceof Error ? error.message : String(error);
      refusals.push(engine ? `${engine.name}: ${reason}` : reason);
    }
  }
  throw new ModelError(`${name}: no engine can run this model`, { cause });
}

function prepare(
  name: string,
  { engine, refusals = [], run, input, outputs }: LoadedModel,
  labels: ReadonlyMap<number, string>,
  format: OutputFormat,
): Model {
  const size = sizeOf(name, input);
  const decode: DecodeOutputs = makeDecoder(format, { tensors: outputs, size, labels });
  const { numbers, range } = inputOf(name, input);
  const scalers = new Map<string, Scaler>();
  return {
    engine,
    refusals,
    async look(picture, region, wanted) {
      scalerFor(picture, region).scale(picture.data, numbers, range);
      const bounded = new Map(
        [...wanted].map(([label, minScore]) => [label, Math.min(highest, Math.max(lowest, minScore))]),
      );
      return decode(await run(numbers), bounded)
        .filter(hasFiniteNumbers)
        .map((detection) => ({ ...detection, box: within(detection.box) }));
    },
  };

  /** Cached, because the same regions occur again and again. */
  function scalerFor(picture: Picture, region: Region): Scaler {
    const key = [picture.width, picture.height, region.x, region.y, region.width, region.height].join();
    const scaler = scalers.get(key) ?? new Scaler(picture, region, size);
    scalers.delete(key);
    scalers.set(key, scaler);
    const [oldest] = scalers.keys();
    if (scalers.size > rememberedScalers && oldest !== undefined) scalers.delete(oldest);
    return scaler;
  }
}

/** @returns width and height in pixels. @throws {ModelError} if the input is not one RGB picture of at most 4096 px. */
export function sizeOf(name: string, { shape }: TensorInfo): [number, number] {
  const [batch, height = 0, width = 0, colours] = shape;
  const isSide = (side: number) => side > 0 && side <= maxSide;
  if (batch === 1 && colours === 3 && isSide(width) && isSide(height)) return [width, height];
  throw new ModelError(
    `${name}: an input of the shape [${shape}] is not one colour picture of at most ${maxSide} pixels a side`,
  );
}

function inputOf(
  name: string,
  { type, shape }: TensorInfo,
): { numbers: TensorData & (Float32Array | Uint8Array | Int8Array); range: PixelRange } {
  const length = shape.reduce((product, size) => product * size, 1);
  switch (type) {
    case 'float32':
      return { numbers: new Float32Array(length), range: { factor: 2 / 255, offset: -1 } };
    case 'uint8':
      return { numbers: new Uint8Array(length), range: { factor: 1, offset: 0 } };
    case 'int8':
      return { numbers: new Int8Array(length), range: { factor: 1, offset: -128 } };
    default:
      throw new ModelError(`${name}: an input of the type ${type} is not supported`);
  }
}

/** A single NaN, from a damaged model, would corrupt the track to which it is assigned. */
function hasFiniteNumbers({ score, box }: DetectedBox): boolean {
  return [score, box.left, box.top, box.right, box.bottom].every(Number.isFinite);
}

function within({ left, top, right, bottom }: BoundingBox): BoundingBox {
  const cut = (value: number) => Math.min(1, Math.max(0, value));
  return { left: cut(left), top: cut(top), right: cut(right), bottom: cut(bottom) };
}
