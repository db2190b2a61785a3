import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

/** The part of TensorFlow.js that is used here; the package's own types need those of a browser. */
export interface TensorFlow {
  loadGraphModel(handler: { load(): Promise<object> }): Promise<GraphModel>;
  tensor(values: unknown, shape: readonly number[], type: string): Tensor;
}
export interface GraphModel {
  readonly inputs: readonly ModelTensor[];
  readonly outputs: readonly ModelTensor[];
  readonly modelSignature?: { readonly outputs?: Readonly<Record<string, { readonly name: string }>> };
  execute(input: Tensor, outputs: readonly string[]): Tensor | Tensor[];
  executeAsync(input: Tensor, outputs: readonly string[]): Promise<Tensor | Tensor[]>;
  dispose(): void;
}
export interface ModelTensor {
  readonly name: string;
  /** Unknown for outputs until the model has run. */
  readonly shape?: readonly number[];
  readonly dtype?: string;
}
export interface Tensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
  dispose(): void;
}

/** Variables, so that the compiler does not resolve packages that may not be installed. */
const nativePackage = '@tensorflow/tfjs-node';
const corePackage = '@tensorflow/tfjs-core';
const converterPackage = '@tensorflow/tfjs-converter';
const wasmPackage = '@tensorflow/tfjs-backend-wasm';

const require = createRequire(import.meta.url);

/** @returns native TensorFlow if installed, otherwise TensorFlow.js on WebAssembly; with the name of the one used. */
export async function openTensorFlow(): Promise<{ tensorflow: TensorFlow; name: string }> {
  try {
    return await openNative();
  } catch {
    return openWebAssembly();
  }
}

async function openNative() {
  const imported = (await import(nativePackage)) as { default?: TensorFlow } & TensorFlow;
  return {
    tensorflow: imported.default ?? imported,
    name: `TensorFlow (${nativePackage} ${version(nativePackage)})`,
  };
}

async function openWebAssembly() {
  const core = (await import(corePackage)) as {
    tensor: TensorFlow['tensor'];
    setBackend(name: string): Promise<boolean>;
  };
  const { loadGraphModel } = (await import(converterPackage)) as Pick<TensorFlow, 'loadGraphModel'>;
  const { setWasmPaths } = (await import(wasmPackage)) as { setWasmPaths(folder: string): void };
  setWasmPaths(join(dirname(require.resolve(`${wasmPackage}/package.json`)), 'dist') + sep);
  await core.setBackend('wasm');
  const name = `TensorFlow.js WebAssembly (${wasmPackage} ${version(wasmPackage)})`;
  return { tensorflow: { tensor: core.tensor, loadGraphModel }, name };
}

function version(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}
