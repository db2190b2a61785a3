import { describe, expect, test } from 'vitest';
import { makeAnchors } from '../../../../../actors/detectors/objects/decoding/anchors.ts';
import {
  makeDecoder,
  recogniseFormat,
} from '../../../../../actors/detectors/objects/decoding/output-decoders.ts';
import type { TensorInfo } from '../../../../../actors/detectors/objects/files/tflite-file.ts';

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

describe('an SSD without its post-processing', () => {
  const anchors = 1917;
  const tensors = [tensor([1, anchors, 4]), tensor([1, anchors, 3])];
  const decode = makeDecoder('ssd', {
    tensors,
    size: [300, 300],
    labels: new Map([
      [1, 'person'],
      [2, 'car'],
    ]),
  });
  /** Nothing but these: anchor, class, logit, and the code of its box. */
  const outputs = (found: readonly (readonly [number, number, number, readonly number[]])[]) => {
    const [codes, logits] = [new Float32Array(anchors * 4), new Float32Array(anchors * 3).fill(-9)];
    for (const [anchor, index, logit, code] of found) {
      codes.set(code, anchor * 4);
      logits[anchor * 3 + index] = logit;
    }
    return [codes, logits];
  };

  test('moves and stretches an anchor: y, x, height, width', () => {
    // The first anchor of the 11th row and column: its centre is in the middle, each side a tenth.
    const middle = (9 * 19 + 9) * 3;
    const [seen, ...others] = decode(
      outputs([[middle, 1, 2, [5, -10, 5 * Math.log(2), 5 * Math.log(4)]]]),
      wanted,
    );
    expect(others).toEqual([]);
    expect(seen?.label).toBe('person');
    expect(seen?.score).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    const { left = 0, top = 0, right = 0, bottom = 0 } = seen?.box ?? {};
    expect((top + bottom) / 2).toBeCloseTo(0.55, 5);
    expect((left + right) / 2).toBeCloseTo(0.4, 5);
    expect(bottom - top).toBeCloseTo(0.2, 5);
    expect(right - left).toBeCloseTo(0.4, 5);
  });

  test('keeps the best of what overlaps, for each label, and knows a background', () => {
    const same = [0, 0, 0, 0];
    const seen = decode(
      outputs([
        [540, 1, 1, same],
        [540, 2, 2.5, same],
        [541, 0, 5, same],
        // At the same place, a little larger.
        [3, 1, 3, same],
        [0, 1, 2, same],
      ]),
      new Map([
        ['person', 0.5],
        ['car', 0.5],
        ['background', 0.1],
      ]),
    );
    expect(seen.map(({ label, score }) => `${label} ${score.toFixed(2)}`)).toEqual([
      'person 0.95',
      'car 0.92',
      'person 0.88',
      'person 0.73',
    ]);
  });
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

  test('are given by their centre, the best of those that overlap', () => {
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

test('of each label only the best 300 candidates are compared', () => {
  const number = 5000;
  const decode = makeDecoder('nolo', { tensors: [tensor([1, 6, number])], size, labels });
  // Small boxes that do not overlap; everywhere a person, and at the last place a car as well.
  const values = new Float32Array(6 * number);
  for (let n = 0; n < number; n += 1) {
    values.set([n / number], n);
    values.set([1e-6], 2 * number + n);
    values.set([1], 3 * number + n);
    values.set([0.6 + n / number / 4], 4 * number + n);
  }
  values.set([0.6], 6 * number - 1);
  const seen = decode([values], wanted);
  expect(seen).toHaveLength(301);
  expect(seen[0]?.score).toBeCloseTo(0.85, 3);
  expect(seen.filter(({ label }) => label === 'car')).toHaveLength(1);
});
