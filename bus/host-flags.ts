/**
 * Node's own flags for processes that do a little, regularly, for years, beside many others of their kind: without
 * them V8 keeps a pool of threads per process, which cost a third of such a process's JavaScript again.
 */
export const hostFlags: readonly string[] = ['--single-threaded-gc', '--v8-pool-size=1'];
