import { join } from 'node:path';
import { hostEnvironment } from '../bus/children/host-process.ts';

/**
 * How many threads may wait for one session inside of GStreamer, and some for files: at most two decoders, each with its bus
 * and two sinks, and two converters of audio, each with its bus and its sink. A file's source takes five, but has no sub stream.
 */
const threadsPerSession = 10 + 5;

/**
 * @param sessions how many there may be at once.
 * @returns what a process that uses GStreamer is started with.
 */
export function pipelineEnvironment(storageDir: string, sessions = 1): NodeJS.ProcessEnv {
  return {
    // Without a registry that can be written, each process would look at every plug-in again: 1.2 s.
    GST_REGISTRY: join(storageDir, 'gstreamer-registry.bin'),
    // Heaps of each thread are never given back: 7 MB more in each process that decodes, and no less CPU time.
    MALLOC_ARENA_MAX: '1',
    ...hostEnvironment(),
    UV_THREADPOOL_SIZE: String(sessions * threadsPerSession),
  };
}
