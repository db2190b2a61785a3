import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { TSchema } from 'typebox';
import { removeFile, writeAtomically } from '../../bus/base/files.ts';
import { Mutex } from '../../bus/base/mutex.ts';
import {
  type Agreement,
  alone,
  changeRecord,
  type RecordFiles,
  type StoredRecord,
} from '../base/agreement.ts';
import { deepFreeze, isObject, type JsonObject, plainJson } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import type { DetectorSection } from '../detectors/detector-section.ts';
import { masked, unmasked } from './masking.ts';
import { resolveMediaFile } from './media-file.ts';
import { type MonitorConfig, sectionOf } from './monitor-config.ts';
import { type BrokenMonitor, checkSize, freeFile, monitorText, readMonitors } from './monitor-files.ts';
import { checkSubStream, MonitorParser } from './monitor-parser.ts';

export type { BrokenMonitor } from './monitor-files.ts';

interface StoredMonitor {
  readonly config: MonitorConfig;
  /** Usually `<id>.json`; a file copied in by hand may have another name, or that of another monitor. */
  readonly file: string;
}

export interface MonitorsOptions {
  /** Those that a monitor may have a section for. */
  readonly detectors: readonly DetectorSection[];
  /** Folder of the files that the source `file` plays; if given, their paths are checked. */
  readonly mediaDir?: string;
}

/** The monitors' configurations: `config_dir/monitors/<id>.json`, one file each. */
export class Monitors implements RecordFiles {
  readonly detectors: readonly DetectorSection[];
  readonly #folder: string;
  readonly #mediaDir: string | undefined;
  readonly #parser: MonitorParser;
  readonly #monitors = new Map<string, StoredMonitor>();
  readonly #mutex = new Mutex();
  readonly #listeners = new Set<() => void>();
  #agreement: Agreement = alone(this);
  #isShared = false;
  #broken: readonly BrokenMonitor[];

  private constructor(
    folder: string,
    { detectors, mediaDir }: MonitorsOptions,
    parser: MonitorParser,
    stored: readonly StoredMonitor[],
    broken: readonly BrokenMonitor[],
  ) {
    this.detectors = detectors;
    this.#folder = folder;
    this.#mediaDir = mediaDir;
    this.#parser = parser;
    this.#broken = broken;
    for (const monitor of stored) this.#monitors.set(monitor.config.id, monitor);
  }

  /** Reads all monitors. A broken file is skipped, see {@link broken}. */
  static async open(configDir: string, options: MonitorsOptions): Promise<Monitors> {
    const folder = join(configDir, 'monitors');
    const parser = new MonitorParser(options.detectors);
    const { monitors, broken } = await readMonitors(folder, parser);
    return new Monitors(folder, options, parser, monitors, broken);
  }

  /** Of a monitor's configuration, for the API's documents. */
  get schema(): TSchema {
    return this.#parser.schema;
  }

  /** Skipped files with the reasons. */
  get broken(): readonly BrokenMonitor[] {
    return this.#broken;
  }

  /** @returns all configurations, unmasked and frozen, ordered by id. */
  list(): MonitorConfig[] {
    const configs = [...this.#monitors.values()].map(({ config }) => config);
    return configs.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** @returns the configuration, unmasked and frozen. */
  get(id: string): MonitorConfig | undefined {
    return this.#monitors.get(id)?.config;
  }

  /** Calls `listener` after each change that is stored. @returns a function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns a copy for clients, with asterisks in place of passwords. */
  masked(config: MonitorConfig): MonitorConfig {
    return masked(plainJson(config)) as unknown as MonitorConfig;
  }

  /** From now on several machines agree on changes, and those of files by hand are refused. */
  share(agreement: Agreement): void {
    this.#agreement = agreement;
    this.#isShared = true;
  }

  records(): readonly StoredRecord[] {
    return this.list().map(recordOf);
  }

  async accept({ id, value }: StoredRecord): Promise<void> {
    if (value !== null) await this.#save(this.#parser.parse(value));
    else if (this.#monitors.has(id)) await this.#erase(id);
  }

  /**
   * Takes over what was changed in the files by hand. A monitor whose file is broken now stays as it is in memory.
   *
   * @returns the files that are broken.
   * @throws {StoreError} `conflict` if files were changed that are copies of what several machines share.
   */
  reload(): Promise<readonly BrokenMonitor[]> {
    return this.#mutex.runExclusive(async () => {
      const { monitors, broken } = await readMonitors(this.#folder, this.#parser);
      if (this.#isShared) {
        const found = new Map(monitors.map(({ config }) => [config.id, config]));
        const ids = [...new Set([...found.keys(), ...this.#monitors.keys()])];
        const changed = ids.filter((id) => !isDeepStrictEqual(found.get(id), this.get(id)));
        if (changed.length === 0) return broken;
        throw new StoreError(
          'conflict',
          `monitors are shared by the cluster: change them in Settings or by the API, not in their files (${changed.join(', ')})`,
        );
      }
      const kept = [...this.#monitors.values()].filter(({ file }) =>
        broken.some((one) => basename(one.file) === file),
      );
      this.#monitors.clear();
      for (const monitor of [...kept, ...monitors]) this.#monitors.set(monitor.config.id, monitor);
      this.#broken = broken;
      this.#announce();
      return broken;
    });
  }

  /**
   * Creates a monitor, or replaces the whole monitor with this id. A masked password is kept as it was stored.
   *
   * @throws {StoreError} `invalid` with the pointer of the bad field; `conflict` if another machine has changed the monitor
   * meanwhile; `no_majority`, `busy`, `io`.
   */
  put(input: unknown): Promise<'created' | 'replaced'> {
    return this.#mutex.runExclusive(async () => {
      const json = plainJson(input);
      checkSize(JSON.stringify(json));
      const id = isObject(json) ? json['id'] : undefined;
      const find = () => (typeof id === 'string' ? this.get(id) : undefined);
      const before = find();
      await changeRecord(this.#agreement, async () => {
        if (find() !== before)
          throw new StoreError('conflict', 'this monitor has just been changed on another machine');
        const config = this.#parser.parse(unmasked(json, before && plainJson(before)));
        checkSubStream(config);
        await this.#checkMedia(config);
        return this.#recordOf(config);
      });
      return before ? 'replaced' : 'created';
    });
  }

  /**
   * Reads a monitor of which only the source matters, without storing it. A masked password is the stored one of the
   * monitor with the same id, as in {@link put}.
   *
   * @throws {StoreError} `invalid` with the pointer of the bad field.
   */
  readSource(input: unknown): MonitorConfig {
    const json = plainJson(input);
    checkSize(JSON.stringify(json));
    const id = isObject(json) ? json['id'] : undefined;
    const stored = typeof id === 'string' ? this.get(id) : undefined;
    return this.#parser.parseSource(json, (given) => unmasked(given, stored && plainJson(stored)));
  }

  /** @throws {StoreError} `not_found`, `no_majority`, `busy`, `io`. */
  remove(id: string): Promise<void> {
    return this.#mutex.runExclusive(() =>
      changeRecord(this.#agreement, async () => {
        this.#require(id);
        return { kind: 'monitor', id, value: null };
      }),
    );
  }

  /**
   * Enables or disables a detector; enabling one that was never configured adds its default settings.
   *
   * @throws {StoreError} `not_found` also when there is no such detector; `no_majority`, `busy`, `io`.
   */
  setDetector(id: string, detector: string, enable: boolean): Promise<void> {
    const definition = this.detectors.find(({ name }) => name === detector);
    return this.#mutex.runExclusive(() =>
      changeRecord(this.#agreement, async () => {
        const config = this.#require(id).config;
        if (!definition) throw new StoreError('not_found', 'there is no such detector');
        const section = sectionOf(config, detector);
        if (!section && !enable) return undefined;
        const changed = { ...config, [detector]: { ...(section ?? definition.defaults), enable } };
        return this.#recordOf(this.#parser.parse(plainJson(changed)));
      }),
    );
  }

  #require(id: string): StoredMonitor {
    const monitor = this.#monitors.get(id);
    if (!monitor) throw new StoreError('not_found', 'there is no such monitor', { pointer: '/id' });
    return monitor;
  }

  /** A missing file is accepted, it may be added later; an existing one must be playable. */
  async #checkMedia(config: MonitorConfig): Promise<void> {
    if (this.#mediaDir === undefined || config.sourcefile === undefined) return;
    try {
      await resolveMediaFile(this.#mediaDir, config.sourcefile.path);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'not_found')) throw error;
    }
  }

  /** @throws {StoreError} `invalid`: it cannot be stored. */
  #recordOf(config: MonitorConfig): StoredRecord {
    checkSize(monitorText(config));
    return recordOf(config);
  }

  #fileOf(id: string): string {
    const taken = new Set([...this.#monitors.values()].map(({ file }) => file));
    return this.#monitors.get(id)?.file ?? freeFile(id, taken);
  }

  /** Writes to disk first, so that configurations in memory are always stored. */
  async #save(config: MonitorConfig): Promise<void> {
    const file = this.#fileOf(config.id);
    try {
      await this.#setAside(file);
      await writeAtomically(join(this.#folder, file), monitorText(config));
    } catch (cause) {
      throw new StoreError('io', 'the monitor could not be saved', { cause });
    }
    this.#monitors.set(config.id, { config: deepFreeze(config), file });
    this.#announce();
  }

  async #erase(id: string): Promise<void> {
    try {
      await removeFile(join(this.#folder, this.#require(id).file));
    } catch (cause) {
      throw new StoreError('io', 'the monitor could not be removed', { cause });
    }
    this.#monitors.delete(id);
    this.#announce();
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Keeps a broken file as `*.broken` before it is replaced, because its content may still be wanted. */
  async #setAside(file: string): Promise<void> {
    if (!this.#broken.some((broken) => basename(broken.file) === file)) return;
    const path = join(this.#folder, file);
    await rename(path, `${path}.broken`);
    this.#broken = this.#broken.filter((broken) => basename(broken.file) !== file);
  }
}

const recordOf = (config: MonitorConfig): StoredRecord => ({
  kind: 'monitor',
  id: config.id,
  value: plainJson(config) as JsonObject,
});
