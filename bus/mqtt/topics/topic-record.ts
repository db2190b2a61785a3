import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { writeAtomically } from '../../base/files.ts';

const Platforms = Type.Record(Type.String(), Type.String());
type Platforms = Static<typeof Platforms>;
const Content = Type.Object({
  topics: Type.Array(Type.String({ minLength: 1 })),
  cleared: Type.Array(Type.String({ minLength: 1 })),
  components: Type.Record(Type.String(), Platforms),
});
type Content = Static<typeof Content>;

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
  readonly #components: Map<string, Platforms>;
  #saving: Promise<void> | undefined;

  private constructor(file: string | undefined, { topics, cleared, components }: Content) {
    this.#file = file;
    this.#topics = new Set(topics);
    this.#cleared = new Set(cleared);
    this.#components = new Map(Object.entries(components));
  }

  /** A file that is missing or cannot be read is an empty one. @param file undefined: kept in memory only. */
  static async open(file: string | undefined): Promise<TopicRecord> {
    const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
    return new TopicRecord(file, parse(text));
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

  /** The components that a device of Home Assistant has, or had: their platforms by key. */
  components(topic: string): Platforms {
    return this.#components.get(topic) ?? {};
  }

  setComponents(topic: string, components: Platforms): void {
    const isKnown = JSON.stringify(this.components(topic)) === JSON.stringify(components);
    this.#components.set(topic, components);
    if (!isKnown) void this.save().catch(() => {});
  }

  clear(topic: string): void {
    this.#topics.delete(topic);
    this.#components.delete(topic);
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
      const components = Object.fromEntries(this.#components);
      const content = { topics: this.topics, cleared: this.cleared, components };
      return writeAtomically(this.#file, `${JSON.stringify(content, undefined, 1)}\n`);
    });
    return this.#saving;
  }
}

function parse(text: string): Content {
  try {
    const content: unknown = JSON.parse(text);
    if (Check(Content, content)) return content;
  } catch {
    // Not JSON.
  }
  return { topics: [], cleared: [], components: {} };
}
