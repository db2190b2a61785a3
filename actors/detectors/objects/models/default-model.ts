import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ModelError } from '../files/model-error.ts';

/**
 * The built-in model: SSD MobileNet V2, trained on Open Images V4, by Google (Apache-2.0, see NOTICE). It is part of a
 * MediaPipe package, at a fixed place in a file that contains several models.
 */

const asset = 'objectron_solution_packed_assets.data';
const start = 184;
const end = 9_987_912;
const sha256 = 'd0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6';

export const defaultModelName = 'default';

/** Class 0 is the background. */
export const defaultModelLabels: ReadonlyMap<number, string> = new Map(
  [
    'bicycle',
    'boot',
    'laptop',
    'person',
    'chair',
    'cattle',
    'desk',
    'cat',
    'computer mouse',
    'computer monitor',
    'box',
    'mug',
    'coffee cup',
    'stationary bicycle',
    'table',
    'bottle',
    'high heels',
    'vehicle',
    'footwear',
    'dog',
    'book',
    'camera',
    'car',
  ].map((label, index) => [index + 1, label]),
);

/** @throws {ModelError} */
export async function readDefaultModel(): Promise<Uint8Array> {
  const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/objectron/package.json'));
  let file: Uint8Array;
  try {
    file = await readFile(join(folder, asset));
  } catch (cause) {
    throw new ModelError(`${defaultModelName}: ${asset} of @mediapipe/objectron cannot be read`, { cause });
  }
  const model = file.subarray(start, end);
  if (createHash('sha256').update(model).digest('hex') !== sha256) {
    throw new ModelError(`${defaultModelName}: ${asset} of @mediapipe/objectron has changed`);
  }
  return model;
}
