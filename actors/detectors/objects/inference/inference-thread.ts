import { parentPort } from 'node:worker_threads';
import { encodeJpeg } from '../../../../bus/base/jpeg.ts';
import type { WorkerMessage } from '../../../../bus/children/worker-protocol.ts';
import type { Model } from '../models/model.ts';
import type { ModelSource } from '../models/model-source.ts';
import type { DetectedBox } from '../picture/bounding-box.ts';
import type { Picture, Region } from '../picture/scaler.ts';

/** The thread that runs the models, which block only this thread. */

export type InferenceTask =
  | { readonly type: 'open'; readonly source: ModelSource }
  | {
      readonly type: 'look';
      readonly source: ModelSource;
      readonly picture: Picture;
      readonly region: Region;
      readonly wanted: ReadonlyMap<string, number>;
    }
  | { readonly type: 'jpeg'; readonly picture: Picture };

export interface InferenceResults {
  readonly open: Pick<Model, 'engine' | 'refusals'>;
  readonly look: readonly DetectedBox[];
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

const models = new Map<string, Promise<Model>>();

parentPort?.on('message', ({ id, task }: { id: number; task: InferenceTask }) => void answer(id, task));
say({ kind: 'ready' });

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

async function answer(id: number, task: InferenceTask): Promise<void> {
  try {
    say({ kind: 'answer', id, answer: await work(task) });
  } catch (error) {
    say({ kind: 'refusal', id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function work(task: InferenceTask): Promise<InferenceResults[keyof InferenceResults]> {
  switch (task.type) {
    case 'open': {
      const { engine, refusals } = await modelOf(task.source);
      return { engine, refusals };
    }
    case 'look':
      return (await modelOf(task.source)).look(task.picture, task.region, task.wanted);
    case 'jpeg':
      return encodeJpeg(task.picture);
  }
}

/** Opens a model once; after a failure, the next request tries again. */
function modelOf(source: ModelSource): Promise<Model> {
  const key = JSON.stringify(source);
  // A thread that only encodes snapshots does not load the engines.
  const model = models.get(key) ?? import('../models/model.ts').then(({ openModel }) => openModel(source));
  models.set(key, model);
  model.catch(() => models.delete(key));
  return model;
}
