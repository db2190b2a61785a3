import type { TensorData } from '../engines/engine.ts';
import type { TensorInfo } from '../files/tflite-file.ts';
import { type BoundingBox, type DetectedBox, suppressOverlaps } from '../picture/bounding-box.ts';
import { makeAnchors } from './anchors.ts';

/**
 * Formats of model outputs:
 *
 * - `ssd`: boxes `[1, anchors, 4]` and logits `[1, anchors, classes]`; class 0 is the background;
 * - `odapi`: an SSD with TensorFlow's post-processing: boxes `[1, n, 4]`, classes, scores, count;
 * - `nolo`: `[1, 4 + classes, n]`; the first four rows are centre x and y, width and height.
 */
export const outputFormats = ['ssd', 'odapi', 'nolo'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Label → minimum score, 0 to 1. Other labels are not detected. */
export type WantedDetections = ReadonlyMap<string, number>;

/** @returns boxes in fractions of the model's input, highest score first. */
export type DecodeOutputs = (outputs: readonly TensorData[], wanted: WantedDetections) => DetectedBox[];

export interface Outputs {
  readonly tensors: readonly TensorInfo[];
  /** Width and height of the input in pixels. */
  readonly size: readonly [number, number];
  readonly labels: ReadonlyMap<number, string>;
}

const ssdOverlap = 0.5;
const noloOverlap = 0.6;

/** @returns undefined if the shapes fit no known format. */
export function recogniseFormat({
  tensors,
  size,
}: Pick<Outputs, 'tensors' | 'size'>): OutputFormat | undefined {
  const [first, second] = tensors.map(({ shape }) => shape);
  if (tensors.length === 4 && first?.at(-1) === 4) return 'odapi';
  if (tensors.length === 1 && first?.length === 3 && (first[1] ?? 0) > 4) return 'nolo';
  if (tensors.length !== 2 || first?.at(-1) !== 4 || second?.length !== 3) return undefined;
  const anchors = makeAnchors(size[0]).length / 4;
  return size[0] === size[1] && first.at(-2) === anchors && second[1] === anchors ? 'ssd' : undefined;
}

export function makeDecoder(format: OutputFormat, outputs: Outputs): DecodeOutputs {
  switch (format) {
    case 'ssd':
      return ssd(outputs);
    case 'odapi':
      return odapi(outputs);
    case 'nolo':
      return nolo(outputs);
  }
}

function ssd({ tensors, size, labels }: Outputs): DecodeOutputs {
  const anchors = makeAnchors(size[0]);
  const classes = tensors[1]?.shape.at(-1) ?? 1;
  const read = reader(tensors);
  return (outputs, wanted) => {
    const found: DetectedBox[] = [];
    const codes = read(outputs, 0);
    const logits = read(outputs, 1);
    for (const [index, label, minScore] of wantedClasses(labels, wanted)) {
      if (index < 1 || index >= classes) continue;
      // Compares logits, so that the sigmoid is computed only for scores above the threshold.
      const minLogit = Math.log(minScore / (1 - minScore));
      for (let anchor = 0; anchor < anchors.length / 4; anchor += 1) {
        const logit = at(logits, anchor * classes + index);
        if (logit < minLogit) continue;
        found.push({ label, score: 1 / (1 + Math.exp(-logit)), box: decodeBox(codes, anchors, anchor * 4) });
      }
    }
    return suppressOverlaps(found, ssdOverlap);
  };
}

function decodeBox(codes: TensorData, anchors: Float32Array, start: number): BoundingBox {
  const [height, width] = [at(anchors, start + 2), at(anchors, start + 3)];
  const y = at(anchors, start) + (at(codes, start) / 10) * height;
  const x = at(anchors, start + 1) + (at(codes, start + 1) / 10) * width;
  return around(
    x,
    y,
    Math.exp(at(codes, start + 3) / 5) * width,
    Math.exp(at(codes, start + 2) / 5) * height,
  );
}

function odapi({ tensors, labels }: Outputs): DecodeOutputs {
  const read = reader(tensors);
  return (outputs, wanted) => {
    const [boxes, classes, scores] = [read(outputs, 0), read(outputs, 1), read(outputs, 2)];
    const number = Math.min(at(read(outputs, 3), 0), scores.length);
    const found: DetectedBox[] = [];
    for (let n = 0; n < number; n += 1) {
      const index = at(classes, n);
      const label = labels.get(index) ?? `unknown${index}`;
      const score = at(scores, n);
      if (score < (wanted.get(label) ?? Number.POSITIVE_INFINITY)) continue;
      const box = { left: at(boxes, 4 * n + 1), top: at(boxes, 4 * n) };
      found.push({
        label,
        score,
        box: { ...box, right: at(boxes, 4 * n + 3), bottom: at(boxes, 4 * n + 2) },
      });
    }
    return found.sort((a, b) => b.score - a.score);
  };
}

function nolo({ tensors, labels }: Outputs): DecodeOutputs {
  const [, rows = 4, number = 0] = tensors[0]?.shape ?? [];
  const read = reader(tensors);
  return (outputs, wanted) => {
    const values = read(outputs, 0);
    const found: DetectedBox[] = [];
    for (const [index, label, minScore] of wantedClasses(labels, wanted)) {
      if (index < 0 || index >= rows - 4) continue;
      for (let n = 0; n < number; n += 1) {
        const score = at(values, (4 + index) * number + n);
        if (score < minScore) continue;
        const [x, y] = [at(values, n), at(values, number + n)];
        const box = around(x, y, at(values, 2 * number + n), at(values, 3 * number + n));
        found.push({ label, score, box });
      }
    }
    return suppressOverlaps(found, noloOverlap);
  };
}

function around(x: number, y: number, width: number, height: number): BoundingBox {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

function* wantedClasses(labels: ReadonlyMap<number, string>, wanted: WantedDetections) {
  for (const [index, label] of labels) {
    const minScore = wanted.get(label);
    if (minScore !== undefined) yield [index, label, minScore] as const;
  }
}

/** @returns a function that reads an output as real values, dequantised if necessary. */
function reader(tensors: readonly TensorInfo[]) {
  return (outputs: readonly TensorData[], index: number): TensorData => {
    const numbers = outputs[index] ?? new Float32Array();
    const quantization = tensors[index]?.quantization;
    if (!quantization || numbers instanceof Float32Array) return numbers;
    const { scale, zero } = quantization;
    return Float32Array.from(numbers, (stored) => (stored - zero) * scale);
  };
}

const at = (numbers: TensorData, index: number) => numbers[index] as number;
