import { runStatement } from '../../store/log/sql/sql-runner.ts';
import { LogSnapshot } from '../../store/log/sql-process/log-snapshot.ts';
import { SqlProcesses } from '../../store/log/sql-process/sql-processes.ts';
import type { LogDatabase } from '../../store/log/worker/log-database.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

/** A log that this process writes, and its file. */
interface OpenLog {
  readonly file: string;
  readonly database: Pick<LogDatabase, 'version'>;
}

/** What users' statements see of a log, in this process: no process of their own has to be started. */
export async function openSnapshot({ file, database }: OpenLog) {
  const snapshot = new LogSnapshot(file, await temporaryFolder());
  atEnd(async () => snapshot.close());
  const connect = () => snapshot.open(database.version);
  const run = async (sql: string) => runStatement(await connect(), sql);
  return { connect, run, rows: async (sql: string) => (await run(sql)).rows };
}

/** The processes that users' statements run in. */
export function openStatements({ file, database }: OpenLog): SqlProcesses {
  const version = async () => database.version;
  const processes = new SqlProcesses({ file, commit: version, version });
  atEnd(() => processes.close());
  return processes;
}
