import { Mutex } from '../../../bus/base/mutex.ts';
import type { Clip } from './clip.ts';

const maxBytes = 32 * 1024 * 1024;
const maxWaiting = 8;
/** A player asks for many ranges of one clip. It must not change meanwhile, although its last recording may grow. */
const keptMs = 5 * 60_000;

/** The headers of the last clips. They are made one at a time: each takes a moment of the processor. */
export class ClipCache {
  /** The least recently used first. */
  readonly #clips = new Map<string, { readonly clip: Clip; readonly timer: NodeJS.Timeout }>();
  readonly #turns = new Mutex();
  #waiting = 0;

  /**
   * @param make is called if there is none of this name.
   * @returns `busy` if too many wait.
   */
  async get<T>(name: string, make: () => Promise<Clip | T>): Promise<Clip | T | 'busy'> {
    const cached = this.#use(name);
    if (cached) return cached;
    if (this.#waiting >= maxWaiting) return 'busy';
    this.#waiting += 1;
    try {
      return await this.#turns.runExclusive(async () => this.#use(name) ?? this.#keep(name, await make()));
    } finally {
      this.#waiting -= 1;
    }
  }

  #use(name: string): Clip | undefined {
    const found = this.#clips.get(name);
    if (!found) return undefined;
    this.#clips.delete(name);
    this.#clips.set(name, found);
    return found.clip;
  }

  #keep<T>(name: string, made: Clip | T): Clip | T {
    if (!isClip(made)) return made;
    const timer = setTimeout(() => this.#clips.delete(name), keptMs).unref();
    this.#clips.set(name, { clip: made, timer });
    let bytes = [...this.#clips.values()].reduce((sum, { clip }) => sum + clip.memoryBytes, 0);
    for (const [oldest, { clip, timer: ending }] of this.#clips) {
      if (bytes <= maxBytes || oldest === name) break;
      clearTimeout(ending);
      this.#clips.delete(oldest);
      bytes -= clip.memoryBytes;
    }
    return made;
  }
}

const isClip = (made: unknown): made is Clip =>
  typeof made === 'object' && made !== null && 'memoryBytes' in made;
