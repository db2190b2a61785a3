import { hostname } from 'node:os';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import {
  type CatalogueEntry,
  RecordingCatalogue,
  type RecordingFilter,
} from '../catalogue/recording-catalogue.ts';
import { HourlyRollup } from '../read/hourly-rollup.ts';
import type { LogFilter } from '../read/log-filter.ts';
import { LogPages, pageOfMachines } from '../read/log-pages.ts';
import { enterSchema, machinesOfFile } from '../schema/machine-schema.ts';
import { derivedTables } from '../schema/schema.ts';
import { machineOfFile } from '../schema/views.ts';
import type { ExportFormat } from './export-format.ts';
import { LogExport } from './log-export.ts';

/** The archive cannot be read. The message is one line, for the user. */
class LogArchiveError extends Error {
  override readonly name = 'LogArchiveError';
  readonly code = 'log_archive_unreadable';
}

type MachinePages = readonly (readonly [machine: string, pages: LogPages])[];

/** The log's file, opened read-only while no recorder has it open. */
export class LogArchive {
  readonly #instance: DuckDBInstance;
  readonly #file: string;
  readonly #pages: MachinePages;

  private constructor(file: string, instance: DuckDBInstance, pages: MachinePages) {
    this.#file = file;
    this.#instance = instance;
    this.#pages = pages;
  }

  /** @throws {LogArchiveError} if the file is missing, is open in a recorder, or is not a log. */
  static async open(file: string): Promise<LogArchive> {
    let instance: DuckDBInstance | undefined;
    try {
      instance = await DuckDBInstance.create(file, {
        access_mode: 'READ_ONLY',
        memory_limit: '256MB',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const connection = await instance.connect();
      await countHours(connection);
      const machine = (await machineOfFile(connection)) ?? hostname();
      const pages: [string, LogPages][] = [[machine, new LogPages(connection)]];
      for (const { machine: other, schema } of await machinesOfFile(connection)) {
        const theirs = await instance.connect();
        await enterSchema(theirs, schema);
        pages.push([other, new LogPages(theirs)]);
      }
      const archive = new LogArchive(file, instance, pages);
      await pageOfMachines(pages, { limit: 1 }, false);
      return archive;
    } catch (cause) {
      instance?.closeSync();
      throw new LogArchiveError(`${file} ${reason(cause as Error)}`, { cause });
    }
  }

  /** Every matching entry, oldest first, as one file, in chunks. */
  async *export(filter: LogFilter, format: ExportFormat): AsyncGenerator<Uint8Array> {
    const read = (page: LogFilter, oldestFirst: boolean) => pageOfMachines(this.#pages, page, oldestFirst);
    const whole = await LogExport.open(read, filter, format);
    for (let piece = await whole.next(); piece; piece = await whole.next()) yield piece;
  }

  /** The recordings that match. @throws {LogArchiveError} if the file is older than the catalogue. */
  async recordings(filter: RecordingFilter): Promise<CatalogueEntry[]> {
    const catalogue = new RecordingCatalogue(await this.#instance.connect());
    try {
      return await catalogue.list(filter);
    } catch (cause) {
      throw new LogArchiveError(`${this.#file} has no catalogue: start the recorder once`, { cause });
    } finally {
      await catalogue.close();
    }
  }

  /** Counts what it holds, and reads every value for it. @throws {LogArchiveError} if it is damaged. */
  async measure(): Promise<{ entries: number; events: number; recordings: number }> {
    const connection = await this.#instance.connect();
    const count = async (sql: string) => Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0]);
    try {
      const tables = await connection.runAndReadAll(
        'SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary',
      );
      for (const [schema, table] of tables.getRows())
        await count(`SELECT count(hash(t)) FROM "${String(schema)}"."${String(table)}" t`);
      return {
        entries: await count('SELECT count(*) FROM logs'),
        events: await count('SELECT count(DISTINCT id) FROM events'),
        recordings: await count('SELECT count(*) FROM recordings WHERE id NOT IN (SELECT id FROM removal)'),
      };
    } catch (cause) {
      throw new LogArchiveError(`${this.#file} ${reason(cause as Error)}`, { cause });
    } finally {
      connection.closeSync();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pages.map(([, pages]) => pages.close()));
    this.#instance.closeSync();
  }
}

/** Creates the tables of the indexes in memory for a file that is older than they are. */
async function countHours(connection: DuckDBConnection): Promise<void> {
  const found = await connection.runAndReadAll(
    "SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('hourly', 'slice')",
  );
  if (found.getRows()[0]?.[0] === 2n) return;
  await connection.run(derivedTables.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE'));
  await new HourlyRollup(connection, new Mutex()).count();
}

function reason({ message }: Error): string {
  const [first = ''] = message.split('\n', 1);
  if (/does not exist.*read-only|read-only.*does not exist/i.test(first)) return 'does not exist';
  if (/could not set lock/i.test(first)) {
    return 'is open in a recorder that runs: stop it, or download from its /api/log/export';
  }
  return `is not a log that can be read: ${first}`;
}
