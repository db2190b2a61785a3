import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readTfliteFile } from '../../../../../actors/detectors/objects/files/tflite-file.ts';
import { readDefaultModel } from '../../../../../actors/detectors/objects/models/default-model.ts';
import { openModel } from '../../../../../actors/detectors/objects/models/model.ts';
import { findModel } from '../../../../../actors/detectors/objects/models/model-catalogue.ts';
import { atEnd } from '../../../../support/cleanup.ts';
import { temporaryFolder } from '../../../../support/folder.ts';
import { picturesOf } from '../../../../support/pictures.ts';

let model: Uint8Array;
let sha256: string;
beforeAll(async () => {
  model = await readDefaultModel();
  sha256 = createHash('sha256').update(model).digest('hex');
});

const labels = 'bicycle\nboot\nlaptop\nperson\n';
const size = { width: 640, height: 480 };

/** A configuration folder with a model of the user's, and an entry for it with these fields changed. */
async function withEntry(fields: Readonly<Record<string, unknown>> = {}, content = model): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'm.tflite'), content);
  await writeFile(join(folder, 'm.txt'), labels);
  const entry = {
    enable: true,
    name: 'mine',
    width: 300,
    height: 300,
    model: join(folder, 'm.tflite'),
    label_map: join(folder, 'm.txt'),
    ...fields,
  };
  const lines = Object.entries(entry).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  await writeFile(join(folder, 'tflite.toml'), `[[detector_cpu]]\n${lines.join('\n')}\n`);
  return folder;
}

const open = async (folder: string, name = 'mine') => openModel(await findModel(folder, name));

async function people(folder: string, name = 'mine'): Promise<number> {
  const opened = await open(folder, name);
  for await (const picture of picturesOf('vtest.avi', { ...size, rate: 1, length: 1 })) {
    const seen = await opened.look(picture, { x: 0, y: 0, ...size }, new Map([['person', 0.4]]));
    return seen.filter(({ label }) => label === 'person').length;
  }
  return 0;
}

describe("a user's model", () => {
  test('is named in tflite.toml', async () => {
    expect(await people(await withEntry({ sha256sum: sha256, format: 'ssd' }))).toBeGreaterThan(0);
  });

  test('is put into the folder with its labels', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'models'));
    await writeFile(join(folder, 'models', 'mine.tflite'), model);
    await writeFile(join(folder, 'models', 'mine.txt'), '4 Person\n24 car\n');
    expect(await people(folder)).toBeGreaterThan(0);
  });

  test('is downloaded once, and then found by its checksum', async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      response.end(request.url === '/labels' ? labels : model);
    }).listen(0, '127.0.0.1');
    const closed = () => new Promise<void>((resolve) => server.close(() => resolve()));
    atEnd(closed);
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const folder = await withEntry({ model: `${url}/model`, label_map: `${url}/labels`, sha256sum: sha256 });
    expect(await people(folder)).toBeGreaterThan(0);
    expect(await readdir(join(folder, '.tflite', 'models'))).toContain(sha256);
    server.closeAllConnections();
    expect(await people(folder)).toBeGreaterThan(0);
    expect(asked).toBe(2);
  });
});

describe('a model that cannot be used is reported in one sentence:', () => {
  test('another file', async () => {
    await expect(open(await withEntry({}, Buffer.from('GIF89a, certainly')))).rejects.toThrow(
      'mine: this is not a TensorFlow Lite model',
    );
  });

  test('a truncated one, wherever it ends', () => {
    for (const part of [9, 20, 100, 1000, 5000, 20_000, 1_000_000, model.length / 2, model.length - 100]) {
      // A view: what lies behind it in memory is not the model's.
      const cut = model.subarray(0, Math.floor(part));
      expect(() => readTfliteFile('mine', cut), `${part}`).toThrow('mine: the model is truncated or damaged');
    }
  });

  test('one of a shape that no detector has', async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@mediapipe/objectron/package.json'));
    const other = await readFile(join(folder, 'object_detection_3d_chair.tflite'));
    const [entry, complaint] = [await withEntry({}, other), /^mine: (outputs|an input) of the shape \[/];
    await expect(open(entry)).rejects.toThrow(complaint);
  });

  test('one with another checksum', async () => {
    await expect(open(await withEntry({ sha256sum: '0'.repeat(64) }))).rejects.toThrow(
      `mine: the checksum of the model is ${sha256}, expected ${'0'.repeat(64)}`,
    );
  });

  test('one of another size or format', async () => {
    await expect(open(await withEntry({ width: 320 }))).rejects.toThrow(
      "mine: the model's input is 300×300, expected 320×300",
    );
    await expect(open(await withEntry({ format: 'nolo' }))).rejects.toThrow(
      "mine: the model's format is ssd, expected nolo",
    );
  });

  test('one that is not there', async () => {
    await expect(open(await withEntry({ model: '/nowhere/m.tflite' }))).rejects.toThrow(
      'mine: the model cannot be read: /nowhere/m.tflite',
    );
    await expect(open(await withEntry(), 'other')).rejects.toThrow(
      'other: unknown detector; available: default, mine',
    );
  });

  test('one on a server that is not there, or without a checksum', async () => {
    const place = 'http://127.0.0.1:9/m.tflite';
    await expect(open(await withEntry({ model: place, sha256sum: sha256 }))).rejects.toThrow(
      /^mine: the model cannot be downloaded: /,
    );
    await expect(open(await withEntry({ model: place }))).rejects.toThrow(
      'mine: tflite.toml: a model that is downloaded needs its sha256sum',
    );
  });

  test('one whose entry is wrong', async () => {
    const folder = await withEntry({ width: 'wide' });
    await expect(open(folder)).rejects.toThrow(
      `${join(folder, 'tflite.toml')}: detector_cpu.width: expected a number of pixels, 16 to 4096`,
    );
  });

  test('but an entry that is wrong stops no other model', async () => {
    const folder = await withEntry({ width: 'wide' });
    expect((await findModel(folder, 'default')).kind).toBe('default');
    await expect(findModel(folder, 'other')).rejects.toThrow('unknown detector; available: default, mine');
    const disabled = await withEntry({ width: 'wide', enable: false });
    await expect(findModel(disabled, 'mine')).rejects.toThrow('mine: unknown detector; available: default');
  });

  test('one with labels that are none', async () => {
    const folder = await withEntry();
    await writeFile(join(folder, 'm.txt'), 'person\n<b>car</b>\n');
    await expect(open(folder)).rejects.toThrow('mine: line 2 of the labels is not a label');
    await writeFile(join(folder, 'm.txt'), '\n');
    await expect(open(folder)).rejects.toThrow('mine: there are no labels');
  });
});

test('a damaged structure is read or refused, and nothing else happens', () => {
  const root = new DataView(model.buffer, model.byteOffset).getUint32(0, true);
  let refused = 0;
  for (let round = 0; round < 200; round += 1) {
    const damaged = Uint8Array.from(model);
    for (let n = 0; n < 5; n += 1) damaged[root + ((round * 977 + n * 7919) % 4000)] = (round * 37 + n) % 256;
    try {
      readTfliteFile('damaged', damaged);
    } catch (error) {
      refused += 1;
      expect(error).toMatchObject({ code: 'model_unusable' });
    }
  }
  expect(refused).toBeGreaterThan(0);
});
