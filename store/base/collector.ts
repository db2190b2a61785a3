import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects V8's garbage in the calling thread; a minor one only what was made since the last. */
export type Collect = (options?: { readonly type: 'minor' }) => void;

/**
 * V8's collector, for memory whose size V8 does not know: by itself it would wait too long. The flag stays set: it is
 * the whole process's, so a thread that took it away again would take it from another one that has just set it.
 */
export function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
