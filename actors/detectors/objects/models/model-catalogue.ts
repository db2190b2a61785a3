import { access, readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { parse } from 'smol-toml';
import { type Static, Type } from 'typebox';
import { writeAtomically } from '../../../../bus/base/files.ts';
import { compileValidator } from '../../../../store/base/validator.ts';
import { outputFormats } from '../decoding/output-decoders.ts';
import { ModelError } from '../files/model-error.ts';
import { defaultModelName } from './default-model.ts';
import type { ModelSource } from './model-source.ts';

const fileName = 'tflite.toml';
const folderName = 'models';
/** SentryShot's folder for downloads. Our file names differ, so its downloads are not reused. */
const downloadsName = join('.tflite', 'models');

const place = (description: string) =>
  Type.String({ maxLength: 2048, pattern: '^(/|https?://)[^\\p{Cc}]*$', description });
const pixels = Type.Integer({ minimum: 16, maximum: 4096, description: 'a number of pixels, 16 to 4096' });

const Entry = Type.Object(
  {
    enable: Type.Boolean({ description: 'true or false' }),
    name: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: '1 to 64 letters, digits, hyphens and underscores',
    }),
    width: pixels,
    height: pixels,
    model: place('an absolute path, or a URL of http or https'),
    sha256sum: Type.Optional(
      Type.String({ pattern: '^[0-9a-fA-F]{64}$', description: 'a checksum of 64 hexadecimal digits' }),
    ),
    label_map: place('an absolute path, or a URL of http or https'),
    format: Type.Optional(
      Type.Enum([...outputFormats], { description: `one of ${outputFormats.join(', ')}` }),
    ),
  },
  { description: 'a table of enable, name, width, height, model and label_map' },
);
type Entry = Static<typeof Entry>;

const checkEntry = compileValidator(Entry);

/** Writes a `tflite.toml` with every setting commented out, if there is none. */
export async function ensureModelsFile(configDir: string): Promise<void> {
  const file = join(configDir, fileName);
  try {
    await access(file);
  } catch {
    await writeAtomically(file, template);
  }
}

/**
 * Finds the model of a monitor's `detectorName`: an entry of `tflite.toml`, a file in the folder `models`, or the
 * built-in one.
 *
 * @throws {ModelError} if there is no such model, or its entry is invalid.
 */
export async function findModel(configDir: string, name: string): Promise<ModelSource> {
  const file = join(configDir, fileName);
  const entries = await readEntries(file);
  const entry = entryOf(name, entries, file);
  const downloads = join(configDir, downloadsName);
  if (entry) return fromEntry(entry, downloads);
  const files = await readdir(join(configDir, folderName), { withFileTypes: true }).catch(() => []);
  const folder = join(configDir, folderName);
  for (const one of files) {
    if (one.name === `${name}.tflite`) {
      const model = join(folder, one.name);
      return { kind: 'tflite', name, model, labels: join(folder, `${name}.txt`), downloads };
    }
    if (one.isDirectory() && one.name === name) {
      const model = join(folder, name);
      return { kind: 'tfjs', name, model, labels: join(model, 'labels.txt'), downloads };
    }
  }
  if (name === defaultModelName) return { kind: 'default', name };
  const others = [
    defaultModelName,
    ...entries.filter(isEnabled).flatMap((one) => nameOf(one) ?? []),
    ...files.map((file) => file.name.replace(/\.tflite$/, '')).filter((one) => !one.endsWith('.txt')),
  ];
  throw new ModelError(`${name}: unknown detector; available: ${[...new Set(others)].join(', ')}`);
}

function fromEntry(entry: Entry, downloads: string): ModelSource {
  const { name, model, sha256sum, label_map: labels, width, height, format } = entry;
  if (!isAbsolute(model) && sha256sum === undefined) {
    throw new ModelError(`${name}: ${fileName}: a model that is downloaded needs its sha256sum`);
  }
  return {
    kind: 'tflite',
    name,
    model,
    labels,
    size: [width, height],
    downloads,
    ...(sha256sum !== undefined && { sha256: sha256sum }),
    ...(format !== undefined && { format }),
  };
}

async function readEntries(file: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return [];
  }
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (cause) {
    throw new ModelError(`${file}: ${(cause as Error).message.split('\n', 1)[0]}`, { cause });
  }
  // Later versions of SentryShot use the second name.
  return [table['detector_cpu'], table['detector_tflite']].flatMap((list) => list ?? []);
}

/**
 * Finds the entry with this name. Errors in other entries are ignored.
 *
 * @throws {ModelError} if the entry is invalid, or there are two with this name.
 */
function entryOf(name: string, entries: readonly unknown[], file: string): Entry | undefined {
  const [entry, ...others] = entries.filter((one) => isEnabled(one) && nameOf(one) === name);
  if (entry === undefined) return undefined;
  const flaw = checkEntry(entry);
  if (flaw) {
    const key = flaw.pointer.slice(1).replaceAll('/', '.');
    throw new ModelError(`${file}: detector_cpu.${key}: expected ${flaw.expected}`);
  }
  if (others.length > 0) {
    throw new ModelError(`${file}: detector_cpu: expected only one entry named ${name}`);
  }
  return entry as Entry;
}

const nameOf = (entry: unknown) => (entry as Partial<Entry> | null)?.name;
const isEnabled = (entry: unknown) => (entry as Partial<Entry> | null)?.enable !== false;

const template = `# Your own models for object detection. A monitor selects one by name, in its field detectorName.
# The built-in model is named "${defaultModelName}" and needs no entry.
#
# A model can also be put into the folder "${folderName}" beside this file, without an entry here:
#   ${folderName}/NAME.tflite with its labels in ${folderName}/NAME.txt, or
#   ${folderName}/NAME/model.json (a TensorFlow.js graph model) with its labels in ${folderName}/NAME/labels.txt.
# A file of labels has one label per line, either after its class number ("0 person") or in the order of the classes.

#[[detector_cpu]]
#enable = true
#name = "mine"
# The size of the model's input in pixels.
#width = 320
#height = 320
# An absolute path, or a URL, which requires sha256sum.
#model = "/srv/models/mine.tflite"
#sha256sum = ""
#label_map = "/srv/models/mine.txt"
# "odapi": an SSD with its post-processing. "ssd": without. "nolo": [1, 4 + classes, n].
# By default the shapes of the model's outputs decide.
#format = "odapi"
# SentryShot's "threads" is accepted and has no effect: all models share one core.
`;
