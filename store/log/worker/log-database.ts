import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ensureFolder } from '../../../bus/base/files.ts';
import { Mutex } from '../../../bus/base/mutex.ts';
import { StoreError } from '../../base/store-error.ts';
import { BufferList, unlockBuffers } from '../retention/buffer-list.ts';
import { FileHold } from '../retention/file-hold.ts';
import { LogRetention } from '../retention/log-retention.ts';
import { makeSchemas } from '../schema/file-schemas.ts';
import { type MachineSchema, ownSchema } from '../schema/machine-schema.ts';
import { ReadWriteLock } from '../schema/read-write-lock.ts';
import { inTransaction } from '../schema/transaction.ts';
import { nameSchema } from '../schema/views.ts';
import { connectToSchema, type MachineConnections, MachineLog, type SharedFile } from './machine-log.ts';

const memoryLimit = '256MB';

const options = {
  threads: '2',
  memory_limit: memoryLimit,
  max_temp_directory_size: '256MB',
  // While the file is checkpointed, it lets `ORDER BY time LIMIT` skip rows that belong to the answer: DuckDB 1.5.6.
  disabled_optimizers: 'row_group_pruner',
  // The recorder downloads nothing, not even DuckDB's extensions.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** The session's time zone, whatever the machine's is: columns without a zone are in UTC. */
const utc = "SET GLOBAL TimeZone = 'UTC';";

// Users' statements run in another process; our own do not need the locked features either.
const lock = 'SET enable_external_access = false; SET lock_configuration = true;';

/** Failures of the machine, not of the file: moving the file aside would not help. */
const machineTrouble =
  /could not set lock|permission denied|no space left|too many open files|out of memory/i;

/** The machines whose logs the file has. */
export interface LogMachines {
  /** This one's name. */
  readonly machine: string;
  /** Those whose streams are read here, too. */
  readonly others: readonly string[];
}

/** The log, events and recordings in DuckDB, of this machine and of others. Only one instance per file; its calls may overlap. */
export class LogDatabase extends MachineLog {
  readonly machine: string;
  /** The other machines of the cluster, and those that were, as long as something of them is left. */
  readonly others: ReadonlyMap<string, MachineLog>;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #writes: Mutex;
  /** Every query takes this lock, so that there can be a moment without readers. */
  readonly reads: ReadWriteLock;
  readonly retention: LogRetention;
  /** For programs that copy the file. */
  readonly hold: FileHold;
  readonly buffers: BufferList;
  readonly #id = randomUUID();

  private constructor(
    file: string,
    machine: string,
    instance: DuckDBInstance,
    schemas: readonly (readonly [MachineSchema, MachineConnections])[],
    connections: MachineConnections,
    ownConnection: DuckDBConnection,
  ) {
    const writes = new Mutex();
    const shared: SharedFile = {
      writes,
      pauseRetention: (task) => this.retention.pauseFor(task),
      repairTimes: (tables, times) => this.retention.repairTimes(tables, times),
    };
    super(ownSchema, connections, shared);
    this.machine = machine;
    this.others = new Map(
      schemas.map(([other, theirs]) => [other.machine, new MachineLog(other.schema, theirs, shared)]),
    );
    this.#instance = instance;
    this.#connection = connections.writer;
    this.#writes = writes;
    this.reads = new ReadWriteLock();
    const tables = [this, ...this.others.values()].map((each) => each.tables);
    this.retention = new LogRetention({ file, tables, writes, reads: this.reads });
    this.hold = new FileHold(connections.writer, writes, this.retention);
    const alone = (task: () => Promise<void>) =>
      this.retention.pauseFor(() => this.reads.write(() => writes.runExclusive(task)));
    this.buffers = new BufferList(ownConnection, memoryLimit, alone);
  }

  /**
   * Opens the file, or creates it. A file that DuckDB cannot read is renamed to `<file>.broken`, and a new one is created.
   *
   * @returns `broken` is the reason why the old file was moved aside; undefined if it was not.
   */
  static async open(
    file: string,
    machines: LogMachines = { machine: hostname(), others: [] },
  ): Promise<{ database: LogDatabase; broken?: string }> {
    await ensureFolder(dirname(file));
    try {
      return { database: await LogDatabase.#open(file, machines) };
    } catch (error) {
      const broken = (error as Error).message.split('\n', 1)[0] ?? '';
      if (!existsSync(file) || machineTrouble.test(broken)) throw error;
      await rename(file, `${file}.broken`);
      // The write-ahead log belongs to the old file and would be replayed into the new one.
      await rm(`${file}.wal`, { force: true });
      return { database: await LogDatabase.#open(file, machines), broken };
    }
  }

  static async #open(file: string, { machine, others }: LogMachines): Promise<LogDatabase> {
    const instance = await DuckDBInstance.create(file, options);
    const opened: DuckDBConnection[] = [];
    const connect = async () => {
      const connection = await instance.connect();
      opened.push(connection);
      return connection;
    };
    try {
      const connection = await connect();
      const schemas = await makeSchemas(connection, machine, others);
      await connection.run(utc + unlockBuffers + lock);
      connection.closeSync();
      const own = await connectToSchema(connect, ownSchema);
      const theirs: (readonly [MachineSchema, MachineConnections])[] = [];
      for (const each of schemas) theirs.push([each, await connectToSchema(connect, each.schema)]);
      const database = new LogDatabase(file, machine, instance, theirs, own, await connect());
      // A table of another shape must be detected now, while the file can still be replaced.
      for (const each of [database, ...database.others.values()]) await each.check();
      return database;
    } catch (error) {
      // With one of them the file would stay open, too.
      for (const connection of opened) connection.closeSync();
      instance.closeSync();
      throw error;
    }
  }

  /**
   * From the next opening on, the tables of a machine that has left are those of this one, of which nothing was read: it was given
   * another name.
   */
  rename(former: MachineLog, machine: string): Promise<void> {
    const empty = this.others.get(machine);
    const names = [
      { machine, schema: former.tables.schema },
      ...(empty ? [{ machine: '', schema: empty.tables.schema }] : []),
    ];
    return this.#writes.runExclusive(() =>
      inTransaction(this.#connection, async () => {
        for (const name of names) await this.#connection.run(nameSchema(name));
      }),
    );
  }

  /**
   * As long as this is the same, the file's blocks are written to in checkpoints only: a compaction writes to them before.
   *
   * @throws {StoreError} `busy` during a compaction
   */
  get version(): string {
    const { compactions, isCompacting } = this.retention;
    if (isCompacting) throw new StoreError('busy', 'the log is being compacted; try again');
    return `${this.#id} ${compactions}`;
  }

  /**
   * Waits for running work, then checkpoints and closes the file. Safe to call twice.
   *
   * A thread must not end before that: DuckDB's binding aborts the whole process when one of its calls returns to a thread
   * that has ended.
   */
  close(): Promise<void> {
    this.hold.release();
    return this.#writes.close(async () => {
      const machines = [this, ...this.others.values()];
      await Promise.all([this.retention.close(), ...machines.map((each) => each.endQueries())]);
      await this.buffers.close();
      await this.#connection.run('CHECKPOINT').catch(() => {});
      for (const { tables } of machines) tables.writer.closeSync();
      this.#instance.closeSync();
    });
  }
}
