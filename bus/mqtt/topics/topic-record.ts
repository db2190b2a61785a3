import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../../base/files.ts';

/** Topics that were cleared; a broker that was restored from an older state may have them again. */
const maxCleared = 2000;

/**
 * The topics that hold a retained message of ours, in a file: so that those of a monitor are cleared that was deleted while
 * the broker or the recorder was down.
 */
export class TopicRecord {
  readonly #file: string | undefined;
  readonly #topics: Set<string>;
  readonly #cleared: Set<string>;
  #saving: Promise<void> | undefined;

  private constructor(file: string | undefined, topics: Iterable<string>, cleared: Iterable<string>) {
    this.#file = file;
    this.#topics = new Set(topics);
    this.#cleared = new Set(cleared);
  }

  /** A file that is missing or cannot be read is an empty one. @param file undefined: kept in memory only. */
  static async open(file: string | undefined): Promise<TopicRecord> {
    const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
    const { topics, cleared } = parse(text);
    return new TopicRecord(file, topics, cleared);
  }

  get topics(): readonly string[] {
    return [...this.#topics];
  }

  /** Those that must be empty, although a broker may remember them. */
  get cleared(): readonly string[] {
    return [...this.#cleared];
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  add(topic: string): void {
    this.#topics.add(topic);
    this.#cleared.delete(topic);
  }

  clear(topic: string): void {
    this.#topics.delete(topic);
    this.#cleared.delete(topic);
    this.#cleared.add(topic);
    for (const oldest of this.#cleared) {
      if (this.#cleared.size <= maxCleared) break;
      this.#cleared.delete(oldest);
    }
  }

  /** Resolves when the file has what was added and cleared before. @throws if it cannot be written. */
  save(): Promise<void> {
    // Calls of the same moment share one write.
    this.#saving ??= Promise.resolve().then(() => {
      this.#saving = undefined;
      if (this.#file === undefined) return undefined;
      const content = { topics: this.topics, cleared: this.cleared };
      return writeAtomically(this.#file, `${JSON.stringify(content, undefined, 1)}\n`);
    });
    return this.#saving;
  }
}

function parse(text: string): { topics: string[]; cleared: string[] } {
  try {
    const { topics, cleared } = JSON.parse(text) as Record<string, unknown>;
    return { topics: texts(topics), cleared: texts(cleared) };
  } catch {
    return { topics: [], cleared: [] };
  }
}

const texts = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string' && item !== '') : [];
