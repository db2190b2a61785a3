import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openLiteRt } from '../../../../../actors/detectors/objects/engines/litert.ts';
import {
  defaultModelLabels,
  readDefaultModel,
} from '../../../../../actors/detectors/objects/models/default-model.ts';
import { openModel } from '../../../../../actors/detectors/objects/models/model.ts';
import type { DetectedBox } from '../../../../../actors/detectors/objects/picture/bounding-box.ts';
import { temporaryFolder } from '../../../../support/folder.ts';
import { picturesOf, type TestPicture } from '../../../../support/pictures.ts';
import { type Changes, changeModel } from '../../../../support/post-processing.ts';

const size = { width: 640, height: 480 };
const whole = { x: 0, y: 0, ...size };
const wanted = new Map([
  ['person', 0.4],
  ['car', 0.4],
]);

/** Pictures of a street, and what the default model sees in them. */
const known: { picture: TestPicture; seen: DetectedBox[] }[] = [];
beforeAll(async () => {
  const model = await openModel({ kind: 'default', name: 'default' }, [openLiteRt]);
  for await (const picture of picturesOf('vtest.avi', { ...size, rate: 1 / 20, length: 70 })) {
    known.push({ picture, seen: await model.look(picture, whole, wanted) });
  }
});

/** The changed model, as a user's. Post-processing has no background: its classes begin one lower. */
async function open(changes: Changes) {
  const folder = await temporaryFolder();
  const [model, labels] = [join(folder, 'm.tflite'), join(folder, 'm.txt')];
  await writeFile(model, changeModel(await readDefaultModel(), changes));
  const shift = changes.output === 'post-processed' ? 1 : 0;
  const lines = [...defaultModelLabels].map(([index, label]) => `${index - shift} ${label}`);
  await writeFile(labels, lines.join('\n'));
  return openModel({ kind: 'tflite', name: 'mine', model, labels, downloads: folder });
}

test.each<[string, Changes]>([
  ['post-processing', { output: 'post-processed' }],
  [
    'bytes as its input and post-processing, as SentryShot and Frigate have them',
    { input: 'uint8', output: 'post-processed' },
  ],
  ['signed bytes as its input and post-processing', { input: 'int8', output: 'post-processed' }],
  ['bytes as its input and its outputs', { input: 'uint8', output: 'quantised' }],
])('a model with %s sees people where the default model sees them', async (_name, changes) => {
  const model = await open(changes);
  expect(model.engine).toMatch(/^TensorFlow Lite/);
  let [people, found] = [0, 0];
  for (const { picture, seen: expected } of known) {
    const seen = await model.look(picture, whole, wanted);
    people += expected.length;
    for (const { label, score, box } of expected) {
      const twin = seen.find(
        (other) =>
          other.label === label &&
          Math.abs(other.box.left - box.left) < 0.03 &&
          Math.abs(other.box.bottom - box.bottom) < 0.03,
      );
      if (twin && Math.abs(twin.score - score) < 0.05) found += 1;
    }
  }
  expect(people).toBeGreaterThan(10);
  expect(found / people).toBeGreaterThan(0.9);
});
