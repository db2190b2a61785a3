import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/schema';
import { writeAtomically } from '../../base/files.ts';

/** The machines that publish for one house under one prefix: as which of them this one does. */
const Membership = Type.Object({ prefix: Type.String(), machine: Type.String() });
export type Membership = Static<typeof Membership>;

const Platforms = Type.Record(Type.String(), Type.String());
type Platforms = Static<typeof Platforms>;
const Content = Type.Object({
  topics: Type.Array(Type.String({ minLength: 1 })),
  cleared: Type.Array(Type.String({ minLength: 1 })),
  components: Type.Record(Type.String(), Platforms),
  /** Of a machine of a cluster. */
  membership: Type.Optional(Membership),
});
type Content = Static<typeof Content>;

const empty: Content = { topics: [], cleared: [], components: {} };
/** Topics that were cleared; a broker that was restored from an older state may have them again. */
const maxCleared = 2000;

/**
 * The topics that hold a retained message of ours, in a file: so that those of a monitor are cleared that was deleted while
 * the broker or the recorder was down.
 */
export class TopicRecord {
  readonly #file: string | undefined;
  readonly #membership: Membership | undefined;
  /** Of the time in a cluster that this machine has left. */
  #former: Required<Content> | undefined;
  readonly #topics: Set<string>;
  readonly #cleared: Set<string>;
  readonly #components: Map<string, Platforms>;
  #saving: Promise<void> | undefined;

  private constructor(file: string | undefined, membership: Membership | undefined, content: Content) {
    this.#file = file;
    this.#membership = membership;
    const { topics, cleared, components } = content;
    this.#topics = new Set(topics);
    this.#cleared = new Set(cleared);
    this.#components = new Map(Object.entries(components));
  }

  /**
   * A file that is missing or cannot be read is an empty one.
   *
   * @param file undefined: kept in memory only.
   * @param membership of a machine of a cluster.
   */
  static async open(file: string | undefined, membership?: Membership): Promise<TopicRecord> {
    const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
    const content = parse(text);
    if (membership || !content.membership) return new TopicRecord(file, membership, content);
    const record = new TopicRecord(file, undefined, empty);
    record.#former = { ...content, membership: content.membership };
    return record;
  }

  /** As which machine of a cluster it was written: its topics are none of this record until that is settled. */
  get former(): Membership | undefined {
    return this.#former?.membership;
  }

  /** @param isOwn whether what was published in the cluster is this machine's now; otherwise it is left to the others. */
  settleFormer(isOwn: boolean): void {
    if (!this.#former) return;
    const { topics, cleared, components } = this.#former;
    this.#former = undefined;
    if (isOwn) {
      for (const topic of topics) this.add(topic);
      for (const topic of cleared) if (!this.has(topic)) this.#cleared.add(topic);
      for (const [topic, platforms] of Object.entries(components)) {
        if (!this.#components.has(topic)) this.#components.set(topic, platforms);
      }
    }
    void this.save().catch(() => {});
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
      return writeAtomically(this.#file, `${JSON.stringify(this.#content, undefined, 1)}\n`);
    });
    return this.#saving;
  }

  get #content(): Content {
    const { topics, cleared, components } = this.#former ?? empty;
    const membership = this.#membership ?? this.former;
    return {
      // They may have been published before this start as well: a broker that never answers must not make the file grow.
      topics: [...new Set([...topics, ...this.#topics])],
      cleared: [...new Set([...cleared, ...this.#cleared])],
      components: { ...components, ...Object.fromEntries(this.#components) },
      ...(membership && { membership }),
    };
  }
}

function parse(text: string): Content {
  try {
    const content: unknown = JSON.parse(text);
    if (Check(Content, content)) return content;
  } catch {
    // Not JSON.
  }
  return empty;
}
