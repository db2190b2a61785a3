import { describe, expect, test } from 'vitest';
import type { Engine } from '../../../../../actors/detectors/objects/engines/engine.ts';
import { openLiteRt } from '../../../../../actors/detectors/objects/engines/litert.ts';
import { openOnnxRuntime } from '../../../../../actors/detectors/objects/engines/onnxruntime.ts';
import { defaultModelLabels } from '../../../../../actors/detectors/objects/models/default-model.ts';
import { openModel } from '../../../../../actors/detectors/objects/models/model.ts';
import type { DetectedBox } from '../../../../../actors/detectors/objects/picture/bounding-box.ts';
import { picturesOf } from '../../../../support/pictures.ts';

const size = { width: 640, height: 480 };
const wanted = new Map([...defaultModelLabels.values()].map((label) => [label, 0.3]));
const source = { kind: 'default', name: 'default' } as const;

/** What an engine sees on ten pictures of a street. */
async function look(open: () => Promise<Engine>): Promise<{ engine: string; seen: DetectedBox[][] }> {
  const model = await openModel(source, [open]);
  const seen: DetectedBox[][] = [];
  for await (const picture of picturesOf('vtest.avi', { ...size, rate: 1 / 7, length: 70 })) {
    seen.push(await model.look(picture, { x: 0, y: 0, ...size }, wanted));
  }
  return { engine: model.engine, seen };
}

const isHere = (open: () => Promise<Engine>) =>
  open().then(
    () => true,
    () => false,
  );

describe('the default model', async () => {
  const fast = await isHere(openOnnxRuntime);

  test('sees people and cars on a street with the engine that runs everywhere', async () => {
    const { engine, seen } = await look(openLiteRt);
    expect(engine).toMatch(/^TensorFlow Lite WebAssembly \(@litertjs\/core \d+\.\d+\.\d+\)$/);
    expect(seen).toHaveLength(10);
    for (const picture of seen) {
      expect(picture.filter(({ label, score }) => label === 'person' && score > 0.4).length).toBeGreaterThan(
        0,
      );
    }
    expect(seen.flat().map(({ label }) => label)).toContain('car');
    // The white van stands in the upper right corner all the time.
    const cars = seen.flat().filter(({ label, score }) => label === 'car' && score > 0.4);
    for (const { box } of cars) {
      expect(box.left).toBeGreaterThan(0.8);
      expect(box.bottom).toBeLessThan(0.25);
    }
  });

  test.runIf(fast)('sees the same with every engine, to two digits', async () => {
    const [one, other] = [await look(openLiteRt), await look(openOnnxRuntime)];
    expect(other.engine).toMatch(/^ONNX Runtime \(onnxruntime-node \d+\.\d+\.\d+\)$/);
    const digits = ({ seen }: { seen: DetectedBox[][] }) =>
      seen.map((picture) => picture.map(({ label, score }) => `${label} ${score.toFixed(2)}`));
    expect(digits(other)).toEqual(digits(one));
    for (const [index, detection] of other.seen.flat().entries()) {
      const twin = one.seen.flat()[index];
      for (const side of ['left', 'top', 'right', 'bottom'] as const) {
        expect(detection.box[side]).toBeCloseTo(twin?.box[side] ?? Number.NaN, 3);
      }
    }
  });

  test('is run by the next engine when one is not there', async () => {
    const missing = () => Promise.reject(new Error('not installed'));
    const { engine, refusals } = await openModel(source, [missing, openLiteRt]);
    expect(engine).toMatch(/^TensorFlow Lite/);
    expect(refusals).toEqual(['not installed']);
    await expect(openModel(source, [missing])).rejects.toThrow('default: no engine can run this model');
  });
});
