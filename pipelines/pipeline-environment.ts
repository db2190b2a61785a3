import { join } from 'node:path';
import { hostEnvironment } from '../bus/children/host-process.ts';

/** How many threads may wait inside of GStreamer (a source and two decoders, each with its bus and two sinks), and some for files. */
const threads = 9 + 5;

/** @returns what a process that uses GStreamer is started with. */
export function pipelineEnvironment(storageDir: string): NodeJS.ProcessEnv {
  return {
    // Without a registry that can be written, each process would look at every plug-in again: 1.2 s.
    GST_REGISTRY: join(storageDir, 'gstreamer-registry.bin'),
    ...hostEnvironment(),
    UV_THREADPOOL_SIZE: String(threads),
  };
}
