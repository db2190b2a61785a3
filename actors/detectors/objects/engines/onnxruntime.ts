import type { InferenceSession } from 'onnxruntime-node';
import { translateToOnnx } from '../onnx/onnx-translation.ts';
import type { Engine, RunModel, TfliteModel } from './engine.ts';

/**
 * ONNX Runtime: native code, the fastest engine for floating-point models.
 *
 * @throws an error if ONNX Runtime, an optional dependency, is not installed.
 */
export async function openOnnxRuntime(): Promise<Engine> {
  const runtime = await import('onnxruntime-node');
  const version = runtime.env.versions.node ?? runtime.env.versions.common;
  return {
    name: `ONNX Runtime (onnxruntime-node ${version})`,
    async load({ graph }: TfliteModel): Promise<RunModel> {
      const session: InferenceSession = await runtime.InferenceSession.create(translateToOnnx(graph), {
        executionProviders: ['cpu'],
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      const [inputName = ''] = session.inputNames;
      const shape = graph.tensors[graph.inputs[0] ?? 0]?.shape ?? [];
      return async (input) => {
        const results = await session.run({
          [inputName]: new runtime.Tensor('float32', input as Float32Array, shape),
        });
        return session.outputNames.map((name) => results[name]?.data as Float32Array);
      };
    },
  };
}
