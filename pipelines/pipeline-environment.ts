import { join } from 'node:path';
import { hostEnvironment, returningAllocator } from '../bus/children/host-process.ts';

const megabyte = 1024 * 1024;

/**
 * How many threads may wait for one session inside of GStreamer, and some for files: two converters of audio, each with its
 * bus and its sink. A file's source takes five, but has no sub stream.
 */
const threadsPerSession = 4 + 5;

/** The same where the streams of all monitors are decoded: each decoder's bus and two sinks, for 80 of them. */
const decodingThreads = 256;

/**
 * @param sessions how many there may be at once.
 * @returns what a process is started with that records, and may use GStreamer. Otherwise it would keep 14 MB more of what is read of
 * a camera at once.
 */
export const pipelineEnvironment = (storageDir: string, sessions = 1): NodeJS.ProcessEnv => ({
  ...returningAllocator,
  ...gstreamerEnvironment(storageDir, sessions * threadsPerSession),
});

/**
 * @returns what the process is started with that decodes for all detectors. Raw pictures stay in the heap: with a mapping of
 * its own for each, 1080p costs twice the processor's time where several streams are decoded.
 */
export const decodingEnvironment = (storageDir: string): NodeJS.ProcessEnv => ({
  MALLOC_MMAP_THRESHOLD_: String(32 * megabyte),
  MALLOC_TRIM_THRESHOLD_: String(256 * megabyte),
  ...gstreamerEnvironment(storageDir, decodingThreads),
});

function gstreamerEnvironment(storageDir: string, threads: number): NodeJS.ProcessEnv {
  return {
    // Without a registry that can be written, each process would look at every plug-in again: 1.2 s.
    GST_REGISTRY: join(storageDir, 'gstreamer-registry.bin'),
    // Heaps of each thread are never given back: 7 MB more in each process that decodes, and no less CPU time.
    MALLOC_ARENA_MAX: '1',
    ...hostEnvironment(),
    UV_THREADPOOL_SIZE: String(threads),
  };
}
