/** How Node runs in the processes beside main. */

/**
 * Node's own flags for processes that do a little, regularly, for years, beside many others of their kind: without
 * them V8 keeps a pool of threads per process, which cost a third of such a process's JavaScript again.
 */
export const hostFlags: readonly string[] = ['--single-threaded-gc', '--v8-pool-size=1'];

/** Of this process's environment what its children may have: not our settings, among them a password, nor Node's. */
export function hostEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SENTRYBUS_') && name !== 'NODE_OPTIONS' && name !== 'NODE_CHANNEL_FD',
  );
  return Object.fromEntries(inherited);
}
