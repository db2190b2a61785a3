/** Flags and environment of Node in child processes. */

/**
 * Flags for Node in the many long-lived processes that each do a little work at regular intervals. Without them V8
 * keeps a pool of threads per process, which costs as much CPU time as a third of the process's JavaScript.
 */
export const hostFlags: readonly string[] = ['--single-threaded-gc', '--v8-pool-size=1'];

/** @returns this process's environment for its children, without our settings (one is a password) and Node's options. */
export function hostEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SENTRYBUS_') && name !== 'NODE_OPTIONS' && name !== 'NODE_CHANNEL_FD',
  );
  return Object.fromEntries(inherited);
}
