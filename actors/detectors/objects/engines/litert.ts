import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import { type Engine, type RunModel, type TensorData, type TfliteModel, viewTensorData } from './engine.ts';

/**
 * TensorFlow Lite compiled to WebAssembly: runs every TensorFlow Lite model on every machine, inside WebAssembly's
 * sandbox.
 *
 * The package's loader needs a browser, so its module is used directly. The build without relaxed SIMD is used:
 * Node.js 20 does not support relaxed SIMD, and without it results are the same on every machine.
 */

const require = createRequire(import.meta.url);
const build = 'litert_wasm_compat_internal';

/** The part of the module that is used here; the names are the module's own. */
interface Module {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly LiteRtEnvironment: { create(device: null): Environment };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: object };
  readonly LiteRtTensorBufferLockMode: { readonly READ: object; readonly WRITE: object };
  readonly LiteRtTensorBuffer: {
    createManaged(environment: Environment, kind: object, type: TensorType, bytes: number): TensorBuffer;
  };
  loadModel(environment: Environment, address: number, bytes: number): Model;
  compileModel(environment: Environment, model: Model, options: object): Compiled | Promise<Compiled>;
}
type Environment = object;
interface TensorType {
  bytes(): number;
  delete(): void;
}
interface Model {
  getInputTensorType(signature: number, index: number): TensorType;
}
interface Compiled {
  run(signature: number, inputs: TensorBuffer[]): TensorBuffer[] | Promise<TensorBuffer[]>;
}
interface TensorBuffer {
  lock(mode: object): number;
  unlock(): void;
  packedSize(): number;
  delete(): void;
}

export async function openLiteRt(): Promise<Engine> {
  const { module, version } = await instantiate();
  const environment = module.LiteRtEnvironment.create(null);
  return {
    name: `TensorFlow Lite WebAssembly (@litertjs/core ${version})`,
    load: (model) => load(module, environment, model),
  };
}

async function instantiate(): Promise<{ module: Module; version: string }> {
  // The package exports no paths; its entry file is next to the folder `wasm`.
  const folder = join(dirname(require.resolve('@litertjs/core')), '..');
  const script = join(folder, 'wasm', `${build}.js`);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  // The script is CommonJS in a package of type "module", so neither import nor require can load it.
  const exported = { exports: {} as unknown };
  const parameters = ['module', 'exports', 'require', '__filename', '__dirname'];
  compileFunction(readFileSync(script, 'utf8'), parameters, { filename: script })(
    exported,
    exported.exports,
    require,
    script,
    dirname(script),
  );
  const factory = exported.exports as (options: object) => Promise<Module>;
  const wasmBinary = readFileSync(join(folder, 'wasm', `${build}.wasm`));
  return { module: await factory({ wasmBinary, print: () => {}, printErr: () => {} }), version };
}

async function load(module: Module, environment: Environment, model: TfliteModel): Promise<RunModel> {
  const { bytes, graph } = model;
  // Not freed: the module uses these bytes as long as the model exists.
  const address = module._malloc(bytes.length);
  module.HEAPU8.set(bytes, address);
  const loaded = module.loadModel(environment, address, bytes.length);
  const compiled = await module.compileModel(environment, loaded, {
    environment,
    accelerator: 'wasm',
    cpuOptions: { numThreads: 1 },
    gpuOptions: {},
    webNnOptions: {},
  });
  const type = loaded.getInputTensorType(0, 0);
  const { HOST_MEMORY } = module.LiteRtTensorBufferType;
  const input = module.LiteRtTensorBuffer.createManaged(environment, HOST_MEMORY, type, type.bytes());
  type.delete();
  const outputs = graph.outputs.map((place) => graph.tensors[place]?.type ?? 'other');
  const { READ, WRITE } = module.LiteRtTensorBufferLockMode;

  return async (numbers) => {
    const to = input.lock(WRITE);
    module.HEAPU8.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), to);
    input.unlock();
    const buffers = await compiled.run(0, [input]);
    return buffers.map((buffer, index): TensorData => {
      const from = buffer.lock(READ);
      // A copy, because WebAssembly memory is reused, and moves when it grows.
      const copy = module.HEAPU8.slice(from, from + buffer.packedSize());
      buffer.unlock();
      buffer.delete();
      return viewTensorData(outputs[index] ?? 'other', copy.buffer, 0, copy.byteLength);
    });
  };
}
