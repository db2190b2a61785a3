import { describe, expect, test } from 'vitest';
import { makeAnchors } from '../../../actors/detectors/tflite/anchors.ts';
import { makeDecoder, recogniseFormat } from '../../../actors/detectors/tflite/decoders.ts';
import type { TensorInfo } from '../../../actors/detectors/tflite/tflite-file.ts';

const tensor = (shape: readonly number[], rest: Partial<TensorInfo> = {}): TensorInfo => ({
  name: '',
  shape,
  type: 'float32',
  ...rest,
});
const labels = new Map([
  [0, 'person'],
  [1, 'car'],
]);
const size = [320, 320] as const;
const wanted = new Map([
  ['person', 0.5],
  ['car', 0.5],
]);

describe('the format of a model', () => {
  test.each([
    [
      'ssd',
      [
        [1, 1917, 4],
        [1, 1917, 24],
      ],
      300,
    ],
    [
      'ssd',
      [
        [1, 2034, 4],
        [1, 2034, 91],
      ],
      320,
    ],
    ['odapi', [[1, 20, 4], [1, 20], [1, 20], [1]], 320],
    ['nolo', [[1, 6, 2100]], 320],
    [
      undefined,
      [
        [1, 100, 4],
        [1, 100, 24],
      ],
      300,
    ],
    [undefined, [[1, 1000]], 224],
    [
      undefined,
      [
        [1, 40, 30, 11],
        [1, 40, 30, 2],
        [1, 40, 30, 1],
      ],
      300,
    ],
  ] as const)('is %s where its outputs are %j', (format, shapes, side) => {
    expect(recogniseFormat({ tensors: shapes.map((shape) => tensor(shape)), size: [side, side] })).toBe(
      format,
    );
  });
});

test('anchors lie in rows from the left upper corner, the smallest first', () => {
  const anchors = makeAnchors(300);
  expect(anchors).toHaveLength(1917 * 4);
  const [y, x, height, width] = anchors;
  expect([y, x]).toEqual([Math.fround(0.5 / 19), Math.fround(0.5 / 19)]);
  expect([height, width]).toEqual([Math.fround(0.1), Math.fround(0.1)]);
  // The last one is as large as the scale between the largest and the whole.
  expect(anchors.at(-1)).toBeCloseTo(Math.sqrt(0.95), 5);
});

describe('an SSD with its post-processing', () => {
  const tensors = [tensor([1, 3, 4]), tensor([1, 3]), tensor([1, 3]), tensor([1])];
  const decode = makeDecoder('odapi', { tensors, size, labels });
  const boxes = Float32Array.of(0.1, 0.2, 0.3, 0.4, 0, 0, 1, 1, 0.5, 0.5, 0.6, 0.6);

  test('says top, left, bottom, right, in the order of its scores, as many as it counts', () => {
    const outputs = [boxes, Float32Array.of(1, 0, 0), Float32Array.of(0.6, 0.9, 0.8), Float32Array.of(2)];
    const seen = decode(outputs, wanted);
    expect(seen.map(({ label }) => label)).toEqual(['person', 'car']);
    const [, car] = seen;
    expect(car?.box.left).toBeCloseTo(0.2);
    expect(car?.box.bottom).toBeCloseTo(0.3);
  });

  test('has names for classes without a label, which nobody asks for', () => {
    const outputs = [boxes, Float32Array.of(7, 0, 0), Float32Array.of(0.9, 0.4, 0.2), Float32Array.of(3)];
    expect(decode(outputs, wanted)).toEqual([]);
    expect(decode(outputs, new Map([['unknown7', 0.5]]))).toHaveLength(1);
  });
});

describe('boxes and scores in one list', () => {
  // Three candidates for two classes, quantised: (stored + 128) / 255.
  const quantization = { scale: 1 / 255, zero: -128 };
  const tensors = [tensor([1, 6, 3], { type: 'int8', quantization })];
  const decode = makeDecoder('nolo', { tensors, size, labels });
  const stored = (values: readonly number[]) =>
    Int8Array.from(values, (value) => Math.round(value * 255) - 128);

  test('are told by their centre, the best of those that overlap', () => {
    const seen = decode(
      [
        stored([
          ...[0.5, 0.51, 0.2],
          ...[0.5, 0.5, 0.2],
          ...[0.2, 0.2, 0.1],
          ...[0.4, 0.4, 0.1],
          ...[0.7, 0.9, 0.1],
          ...[0.1, 0.1, 0.8],
        ]),
      ],
      wanted,
    );
    expect(seen.map(({ label, score }) => `${label} ${score.toFixed(1)}`)).toEqual(['person 0.9', 'car 0.8']);
    expect(seen[0]?.box.left).toBeCloseTo(0.41, 1);
    expect(seen[0]?.box.bottom).toBeCloseTo(0.7, 1);
  });
});
