import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api';
import { ensureFolder } from '../../../bus/base/files.ts';
import { headersOf } from '../../base/database-headers.ts';
import { StoreError } from '../../base/store-error.ts';

const options = {
  access_mode: 'READ_ONLY',
  threads: '2',
  memory_limit: '256MB',
  max_temp_directory_size: '256MB',
  // The recorder downloads nothing, not even DuckDB's extensions.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** The second wall before users' statements; the first is `sql-allowlist.ts`. Columns without a zone are in UTC. */
const lock = `SET GLOBAL TimeZone = 'UTC'; SET enable_external_access = false; SET lock_configuration = true;`;
// Texts of such values too.
DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0;

const maxAttempts = 5;
/** Bytes that stay free on the disk beside a copy. */
const minFreeBytes = 200e6;

/**
 * The log as it is at one moment, read-only, while another process writes its file.
 *
 * DuckDB opens a file in one process only, so this is a copy: of the file as of its last checkpoint (a reflink where the file
 * system has them), made once for all processes after each checkpoint, and of the journal, which has all that was committed
 * since. A copy is whole if no checkpoint came between its two parts, which the headers show.
 */
export class LogSnapshot {
  readonly #file: string;
  /** Of the copies that all processes share. */
  readonly #shared: string;
  /** Of this process. */
  readonly #own: string;
  #instance: DuckDBInstance | undefined;
  #connection: DuckDBConnection | undefined;
  /** The checkpoint and the journal's length of what is open. */
  #opened = '';

  /** @param folder for the copies. */
  constructor(file: string, folder: string) {
    this.#file = file;
    this.#shared = folder;
    this.#own = join(folder, String(process.pid));
  }

  /**
   * @param version of the file: changes when its blocks were written to outside of a checkpoint.
   * @returns a connection to all that was committed before the call.
   * @throws {StoreError} `busy` if there was a checkpoint each time; `io`
   */
  async open(version: string): Promise<DuckDBConnection> {
    await ensureFolder(this.#own);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const headers = await headersOf(this.#file);
      const checkpoint = createHash('sha256').update(version).update(headers).digest('hex').slice(0, 32);
      const state = `${checkpoint} ${await sizeOf(`${this.#file}.wal`)}`;
      if (this.#connection && this.#opened === state) return this.#connection;
      this.close();
      if (!(await this.#copy(checkpoint, headers))) continue;
      this.#connection = await this.#connect();
      this.#opened = state;
      return this.#connection;
    }
    throw new StoreError('busy', 'the log is written to its file all the time; try again');
  }

  close(): void {
    this.#connection?.closeSync();
    this.#instance?.closeSync();
    this.#connection = undefined;
    this.#instance = undefined;
  }

  async #connect(): Promise<DuckDBConnection> {
    this.#instance = await DuckDBInstance.create(join(this.#own, 'log.duckdb'), options);
    const connection = await this.#instance.connect();
    await connection.run(lock);
    return connection;
  }

  /** @returns false if there was a checkpoint meanwhile. */
  async #copy(checkpoint: string, headers: Buffer): Promise<boolean> {
    const shared = join(this.#shared, `${checkpoint}.duckdb`);
    const copy = join(this.#own, 'log.duckdb');
    const isUnchanged = async () => headers.equals(await headersOf(this.#file));
    for (const file of [copy, `${copy}.wal`]) await rm(file, { force: true });
    try {
      if (!(await linkFile(shared, copy))) {
        await this.#checkRoom();
        await copyFile(this.#file, copy, constants.COPYFILE_FICLONE);
        if (!headers.equals(await headersOf(copy)) || !(await isUnchanged())) return false;
        await this.#share(copy, shared);
      }
      await copyFile(`${this.#file}.wal`, `${copy}.wal`).catch(unlessMissing);
    } catch (error) {
      for (const file of [copy, `${copy}.wal`]) await rm(file, { force: true });
      throw error;
    }
    return isUnchanged();
  }

  /** Makes the copy that of all processes. Those that still read an older one have links of their own. */
  async #share(copy: string, shared: string): Promise<void> {
    const link = `${copy}.link`;
    if (!(await linkFile(copy, link))) return;
    await rename(link, shared);
    const names = await readdir(this.#shared);
    const older = names.map((name) => join(this.#shared, name)).filter((path) => path.endsWith('.duckdb'));
    for (const path of older) if (path !== shared) await rm(path, { force: true });
  }

  async #checkRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#own);
    const bytes = await sizeOf(this.#file);
    if (bavail * bsize >= bytes + minFreeBytes) return;
    const megabytes = Math.ceil((bytes + minFreeBytes) / 1e6);
    throw new StoreError(
      'io',
      `statements read a copy of the log: that takes ${megabytes} MB of free disk space`,
    );
  }
}

/** @returns false if there is no such file, or the file system has no links: then each process makes a copy. */
async function linkFile(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    () => false,
  );
}

async function sizeOf(path: string): Promise<number> {
  const { size } = (await stat(path).catch(unlessMissing)) ?? { size: 0 };
  return size;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
