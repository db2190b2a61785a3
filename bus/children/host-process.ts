/** Flags and environment of Node in processes of the recorder. */

/**
 * Flags for Node in the many long-lived processes that each do a little work at regular intervals. Without them V8
 * keeps a pool of threads per process, which costs as much CPU time as a third of the process's JavaScript.
 */
export const hostFlags: readonly string[] = ['--single-threaded-gc', '--v8-pool-size=1'];

const megabyte = 1024 * 1024;

/**
 * Limits for glibc with which large blocks that are freed go back to the system. Left to itself, it raises both with the first such block,
 * and keeps what follows.
 */
export const returningAllocator = {
  MALLOC_MMAP_THRESHOLD_: String(megabyte / 4),
  MALLOC_TRIM_THRESHOLD_: String(megabyte / 8),
} as const;

/** What main is started with: a heap for each of its 13 threads would keep what each of them once needed. */
export const mainAllocator = { MALLOC_ARENA_MAX: '2', ...returningAllocator } as const;

/** Not for child processes. */
const ownNames: readonly string[] = ['NODE_OPTIONS', 'NODE_CHANNEL_FD', ...Object.keys(mainAllocator)];

/**
 * @returns this process's environment for its children, without our settings (one is a password), Node's options, and the limits
 * of main's memory.
 */
export function hostEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SENTRYBUS_') && !ownNames.includes(name),
  );
  return Object.fromEntries(inherited);
}
