import { beforeAll, expect, test } from 'vitest';
import type { Engine, TensorData } from '../../../../../actors/detectors/objects/engines/engine.ts';
import {
  readTfliteFile,
  type TensorInfo,
  type TfliteGraph,
} from '../../../../../actors/detectors/objects/files/tflite-file.ts';
import { readDefaultModel } from '../../../../../actors/detectors/objects/models/default-model.ts';
import { openModel, sizeOf } from '../../../../../actors/detectors/objects/models/model.ts';
import { translateToOnnx } from '../../../../../actors/detectors/objects/onnx/onnx-translation.ts';

let graph: TfliteGraph;
beforeAll(async () => {
  graph = readTfliteFile('default', await readDefaultModel());
});

test.each([
  ['more', (shape: readonly number[]) => shape.map((size, axis) => (axis === 1 ? size * 2 : size))],
  ['fewer', (shape: readonly number[]) => shape.slice(1)],
  ['a negative number of', (shape: readonly number[]) => shape.map((size) => -size)],
])('weights whose shape tells of %s values than there are, are not translated', (_name, change) => {
  const damaged = graph.tensors.map((tensor) =>
    tensor.data.length > 0 && tensor.shape.length === 4 ? { ...tensor, shape: change(tensor.shape) } : tensor,
  );
  expect(() => translateToOnnx({ ...graph, tensors: damaged })).toThrow('weights do not fit their shape');
});

test('an object at a place that is not a number is dropped', async () => {
  // Anchors 0 to 3 see a person; the second without a place, the third of a size beyond all numbers.
  const [boxes, logits] = [new Float32Array(1917 * 4), new Float32Array(1917 * 24).fill(-9)];
  for (const anchor of [0, 3, 6, 1500]) logits[anchor * 24 + 4] = 3;
  boxes[3 * 4] = Number.NaN;
  boxes[6 * 4 + 2] = 1e30;
  logits[1500 * 24 + 4] = Number.NaN;
  const outputs: TensorData[] = [boxes, logits];
  const engine: Engine = { name: 'of the test', load: async () => () => outputs };
  const model = await openModel({ kind: 'default', name: 'default' }, [async () => engine]);
  const picture = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3) };
  const seen = await model.look(picture, { x: 0, y: 0, width: 64, height: 48 }, new Map([['person', 0.5]]));
  expect(seen).toHaveLength(1);
  expect(Object.values(seen[0]?.box ?? {}).every(Number.isFinite)).toBe(true);
});

test('a model whose input is larger than any picture of use is refused before it runs', async () => {
  const [place = 0] = graph.inputs;
  const large = { ...graph.tensors[place], shape: [1, 5000, 300, 3] };
  expect(() => sizeOf('mine', large as TensorInfo)).toThrow(
    'mine: an input of the shape [1,5000,300,3] is not one colour picture of at most 4096 pixels a side',
  );
});
