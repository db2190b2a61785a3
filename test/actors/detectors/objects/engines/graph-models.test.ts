import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLiteRt } from '../../../../../actors/detectors/objects/engines/litert.ts';
import { readTfliteFile } from '../../../../../actors/detectors/objects/files/tflite-file.ts';
import {
  defaultModelLabels,
  readDefaultModel,
} from '../../../../../actors/detectors/objects/models/default-model.ts';
import { openModel } from '../../../../../actors/detectors/objects/models/model.ts';
import { findModel } from '../../../../../actors/detectors/objects/models/model-catalogue.ts';
import { temporaryFolder } from '../../../../support/folder.ts';
import { writeGraphModel } from '../../../../support/graph-model.ts';
import { picturesOf, type TestPicture } from '../../../../support/pictures.ts';

const size = { width: 640, height: 480 };
const whole = { x: 0, y: 0, ...size };

/** A configuration folder with a TensorFlow.js model called `graph`: `write` makes its files. */
async function withGraph(labels: string, write: (folder: string) => Promise<void>) {
  const folder = await temporaryFolder();
  const models = join(folder, 'models', 'graph');
  await mkdir(models, { recursive: true });
  await writeFile(join(models, 'labels.txt'), labels);
  await write(models);
  return openModel(await findModel(folder, 'graph'));
}

async function pictures(): Promise<TestPicture[]> {
  const all: TestPicture[] = [];
  for await (const picture of picturesOf('vtest.avi', { ...size, rate: 1 / 20, length: 70 }))
    all.push(picture);
  return all;
}

test('a TensorFlow.js model sees the same as the TensorFlow Lite model that it was, to two digits', async () => {
  const labels = [...defaultModelLabels].map(([index, label]) => `${index} ${label}`).join('\n');
  const graph = await withGraph(labels, async (folder) =>
    writeGraphModel(folder, readTfliteFile('default', await readDefaultModel())),
  );
  expect(graph.engine).toMatch(/^TensorFlow(\.js WebAssembly)? \(@tensorflow\/tfjs-\S+ \d+\.\d+\.\d+\)$/);
  const lite = await openModel({ kind: 'default', name: 'default' }, [openLiteRt]);
  const wanted = new Map([
    ['person', 0.3],
    ['car', 0.3],
  ]);
  for (const picture of await pictures()) {
    const [seen, expected] = [
      await graph.look(picture, whole, wanted),
      await lite.look(picture, whole, wanted),
    ];
    const digits = (one: typeof seen) => one.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
    expect(seen.length).toBeGreaterThan(1);
    expect(digits(seen)).toEqual(digits(expected));
    for (const [index, { box }] of seen.entries()) {
      expect(box.left).toBeCloseTo(expected[index]?.box.left ?? Number.NaN, 3);
      expect(box.bottom).toBeCloseTo(expected[index]?.box.bottom ?? Number.NaN, 3);
    }
  }
});

/** A model of constants: it sees the same in every picture, of whatever size. */
async function writeConstantModel(
  folder: string,
  outputs: Readonly<Record<string, [number[], number[]]>>,
  more: readonly { readonly name: string; readonly op: string; readonly input: readonly string[] }[] = [],
) {
  const any = ['1', '-1', '-1', '3'].map((length) => ({ size: length }));
  const placeholder = { dtype: { type: 'DT_UINT8' }, shape: { shape: { dim: any } } };
  const keys = Object.keys(outputs);
  const model = {
    format: 'graph-model',
    signature: {
      inputs: { input: { name: 'input:0', dtype: 'DT_UINT8', tensorShape: { dim: any } } },
      outputs: Object.fromEntries([
        ...keys.map((key, index) => [key, { name: `Identity_${9 - index}:0` }]),
        ...more.map(({ name }) => [name, { name: `${name}:0` }]),
      ]),
    },
    modelTopology: {
      node: [
        { name: 'input', op: 'Placeholder', attr: placeholder },
        ...keys.flatMap((key, index) => [
          { name: key, op: 'Const', attr: { dtype: { type: 'DT_FLOAT' } } },
          { name: `Identity_${9 - index}`, op: 'Identity', input: [key], attr: { T: { type: 'DT_FLOAT' } } },
        ]),
        ...more,
      ],
      versions: { producer: 1 },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: keys.map((name) => ({ name, shape: outputs[name]?.[0], dtype: 'float32' })),
      },
    ],
  };
  await writeFile(join(folder, 'model.json'), JSON.stringify(model));
  const numbers = keys.flatMap((key) => outputs[key]?.[1] ?? []);
  await writeFile(join(folder, 'weights.bin'), new Uint8Array(Float32Array.from(numbers).buffer));
}

test('a TensorFlow.js model with post-processing is read by the names in its signature', async () => {
  const graph = await withGraph('1 person\n3 car\n', (folder) =>
    writeConstantModel(folder, {
      detection_anchor_indices: [
        [1, 2],
        [7, 8],
      ],
      detection_boxes: [
        [1, 2, 4],
        [0.1, 0.2, 0.5, 0.4, 0, 0.5, 0.25, 1],
      ],
      detection_classes: [
        [1, 2],
        [1, 3],
      ],
      detection_scores: [
        [1, 2],
        [0.9, 0.6],
      ],
      num_detections: [[1], [2]],
    }),
  );
  const [picture] = await pictures();
  const wanted = new Map([
    ['person', 0.5],
    ['car', 0.5],
  ]);
  const seen = await graph.look(picture as TestPicture, whole, wanted);
  expect(seen.map(({ label, score }) => `${label} ${score.toFixed(2)}`)).toEqual(['person 0.90', 'car 0.60']);
  expect(seen[0]?.box.left).toBeCloseTo(0.2);
  expect(seen[0]?.box.bottom).toBeCloseTo(0.5);
});

test('a TensorFlow.js model whose number of results depends on the picture is run as such', async () => {
  const boxes = [0.1, 0.2, 0.5, 0.4, 0, 0.5, 0.25, 1];
  const graph = await withGraph('1 person\n3 car\n', (folder) =>
    writeConstantModel(
      folder,
      {
        detection_boxes: [[1, 2, 4], boxes],
        detection_classes: [
          [1, 2],
          [1, 3],
        ],
        detection_scores: [
          [1, 2],
          [0.9, 0.6],
        ],
        boxes: [[2, 4], boxes],
        scores: [[2], [0.9, 0.6]],
        most: [[], [10]],
        overlap: [[], [0.5]],
        least: [[], [0.7]],
      },
      [
        { name: 'chosen', op: 'NonMaxSuppressionV3', input: ['boxes', 'scores', 'most', 'overlap', 'least'] },
        { name: 'num_detections', op: 'Size', input: ['chosen'] },
      ],
    ),
  );
  const [picture] = await pictures();
  const wanted = new Map([
    ['person', 0.5],
    ['car', 0.5],
  ]);
  for (const _ of [1, 2]) {
    const seen = await graph.look(picture as TestPicture, whole, wanted);
    expect(seen.map(({ label }) => label)).toEqual(['person']);
  }
});

test('a TensorFlow.js model that is damaged, or of an unknown shape, is reported in one sentence', async () => {
  await expect(withGraph('person\n', (folder) => writeFile(join(folder, 'model.json'), '{'))).rejects.toThrow(
    /^graph: the model cannot be read: \//,
  );
  const shapes = (folder: string) =>
    writeConstantModel(folder, {
      one: [
        [1, 2],
        [0, 0],
      ],
    });
  await expect(withGraph('person\n', shapes)).rejects.toThrow(
    'graph: outputs of the shape [1,2] are not those of a known detector',
  );
});

test('a TensorFlow.js model that cannot be used leaks nothing, however often it is tried', async () => {
  const { memory } = await import('@tensorflow/tfjs-core');
  const folder = await temporaryFolder();
  const models = join(folder, 'models', 'graph');
  await mkdir(models, { recursive: true });
  await writeConstantModel(models, {
    one: [
      [1, 2],
      [0, 0],
    ],
  });
  await writeFile(join(models, 'labels.txt'), 'person\n');
  const open = async () => openModel(await findModel(folder, 'graph'));
  await expect(open()).rejects.toThrow('not those of a known detector');
  const { numTensors } = memory();
  await expect(open()).rejects.toThrow('not those of a known detector');
  // Without labels it is not even opened.
  await writeFile(join(models, 'labels.txt'), '');
  await expect(open()).rejects.toThrow('graph: there are no labels');
  expect(memory().numTensors).toBe(numTensors);
});
