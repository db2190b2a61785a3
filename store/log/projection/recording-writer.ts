import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api';
import { fillTable } from '../schema/fill-table.ts';
import type { StoredRecordings } from '../schema/stored-recordings.ts';
import type { Position, StoredPosition } from './position.ts';
import type { Positions } from './positions.ts';
import type { EventMoves } from './recorded-events/event-moves.ts';
import { RecordingEvents } from './recorded-events/recording-events.ts';
import type { StoredRecording } from './rows.ts';

/** Adds what is known about recordings, each batch together with how far its stream has been read. */
export class RecordingWriter {
  readonly #connection: DuckDBConnection;
  readonly #positions: Positions;
  readonly #onStored: (stored: StoredRecordings) => void;
  readonly #deleteRows: (task: () => Promise<void>) => Promise<void>;
  readonly #events: RecordingEvents;
  readonly #moves: EventMoves;

  /**
   * @param onStored is called after each batch.
   * @param moves those of the events of recordings that get their true times.
   * @param deleteRows runs a task while no rows are copied; only then may it delete some.
   */
  constructor(
    connection: DuckDBConnection,
    positions: Positions,
    onStored: (stored: StoredRecordings) => void,
    deleteRows: (task: () => Promise<void>) => Promise<void>,
    moves: EventMoves,
  ) {
    this.#connection = connection;
    this.#positions = positions;
    this.#onStored = onStored;
    this.#deleteRows = deleteRows;
    this.#moves = moves;
    this.#events = new RecordingEvents(connection, moves);
  }

  /** Those whose end is not known are few, and kept apart: one for each monitor, and one for each kill. */
  async append(
    reports: readonly StoredRecording[],
    position: Position,
    stream: StoredPosition = 'RECORDINGS',
  ): Promise<void> {
    const parts = partsOf(reports);
    // A part after the first one may take back what that has stored.
    const deletes =
      parts.length > 1 ||
      reports.some(({ state, formerID }) => state === 'deleted' || formerID !== undefined) ||
      (await this.#positions.ask(() => this.#unfinishedOf(reports))).length > 0;
    if (deletes) await this.#deleteRows(() => this.#append(parts, position, stream));
    else await this.#append(parts, position, stream);
  }

  async #append(
    parts: readonly (readonly StoredRecording[])[],
    position: Position,
    stream: StoredPosition,
  ): Promise<void> {
    const removed = parts.flat().filter(({ state }) => state === 'deleted');
    const latest = new Map<string, StoredRecording>();
    const renamed: RecordingName[] = [];
    const store = async () => {
      for (const part of parts) {
        const stored = await this.#store(part);
        for (const row of stored.rows) latest.set(row.id, row);
        renamed.push(...stored.renamed);
      }
    };
    await this.#positions.store(stream, position, store).catch((error: Error) => {
      this.#moves.forget();
      throw error;
    });
    const idsOf = (isWanted: (report: StoredRecording) => boolean) =>
      [...latest.values()].filter(isWanted).map(({ id }) => id);
    this.#onStored({
      open: idsOf((report) => !isOver(report)),
      ended: [...idsOf(isOver), ...renamed.map(({ id }) => id)],
      removedUs: [...removed, ...renamed].map(({ time }) => time),
    });
  }

  /** @returns what is known of them now, and which ids there are no more because recordings got other ones. */
  async #store(reports: readonly StoredRecording[]): Promise<{
    readonly rows: readonly StoredRecording[];
    readonly renamed: readonly RecordingName[];
  }> {
    const unfinished = await this.#unfinishedOf(reports);
    if (unfinished.length > 0) await this.#forget(unfinished);
    const removed = reports.filter(({ state }) => state === 'deleted');
    const finished = await this.#finishedOf(reports);
    const latest = new Map<string, StoredRecording>();
    for (const report of reports) {
      if (report.state === 'deleted') continue;
      // A report that the bus got once more, because its acknowledgement was lost, may be older than the end.
      if (finished.has(report.id) || isOver(latest.get(report.id))) continue;
      latest.set(report.id, report);
    }
    await this.#connection.run(
      'DELETE FROM openRecording WHERE id IN (SELECT unnest($1))',
      [listValue([...latest.keys()])],
      [LIST(VARCHAR)],
    );
    const rows = [...latest.values()];
    await this.#fill(
      'openRecording',
      rows.filter((report) => !isOver(report)),
    );
    await this.#fill('recording', rows.filter(isOver));
    await this.#events.forget(removed.filter(({ keepsEvents }) => !keepsEvents));
    const renamed: RecordingName[] = [];
    for (const report of rows) {
      const former = await this.#events.move(report);
      if (!former) continue;
      await this.#forget([former.id]);
      renamed.push(former);
    }
    await this.#note([...removed, ...renamed]);
    return { rows, renamed };
  }

  async #note(gone: readonly RecordingName[]): Promise<void> {
    if (gone.length === 0) return;
    await fillTable(this.#connection, 'removal', (appender) => {
      for (const { id, time } of gone) {
        appender.appendVarchar(id);
        appender.appendBigInt(BigInt(time));
        appender.endRow();
      }
    });
  }

  /** Ids of which what is known is over: there is another recording, or another file of it. */
  async #unfinishedOf(reports: readonly StoredRecording[]): Promise<readonly string[]> {
    return [...(await this.#reusedOf(reports)), ...(await this.#resizedOf(reports))];
  }

  /**
   * Ids of recordings that were deleted, and of which there is a file now: they were made by a clock that was ahead, and got
   * other names when it was set back, or somebody has put a file back.
   */
  async #reusedOf(reports: readonly StoredRecording[]): Promise<string[]> {
    const ids = reports.filter(({ state }) => state === 'started' || state === 'found').map(({ id }) => id);
    if (ids.length === 0) return [];
    const found = await this.#connection.runAndReadAll(
      'SELECT DISTINCT id FROM removal WHERE id IN (SELECT unnest($1))',
      [listValue(ids)],
      [LIST(VARCHAR)],
    );
    return found.getRows().map(([id]) => String(id));
  }

  /** Ids of recordings that have an end, and whose file was found with another size: what is known of them is wrong. */
  async #resizedOf(reports: readonly StoredRecording[]): Promise<string[]> {
    const found = reports.filter(({ state }) => state === 'found');
    if (found.length === 0) return [];
    const resized = await this.#connection.runAndReadAll(
      `SELECT recording.id FROM recording JOIN (SELECT unnest($1) AS id, unnest($2) AS bytes) file
        ON recording.id = file.id AND recording.bytes != file.bytes WHERE time >= $3`,
      [
        listValue(found.map(({ id }) => id)),
        listValue(found.map(({ bytes }) => BigInt(bytes))),
        BigInt(Math.min(...found.map(({ time }) => time))),
      ],
      [LIST(VARCHAR), LIST(BIGINT), BIGINT],
    );
    return resized.getRows().map(([id]) => String(id));
  }

  async #forget(ids: readonly string[]): Promise<void> {
    for (const table of ['recording', 'openRecording', 'removal']) {
      const sql = `DELETE FROM ${table} WHERE id IN (SELECT unnest($1))`;
      await this.#connection.run(sql, [listValue([...ids])], [LIST(VARCHAR)]);
    }
  }

  /** Which of these have an end already. Only what was recorded since the oldest of them is looked at. */
  async #finishedOf(reports: readonly StoredRecording[]): Promise<ReadonlySet<string>> {
    const oldest = Math.min(...reports.map(({ time }) => time));
    const found = await this.#connection.runAndReadAll(
      'SELECT id FROM recording WHERE time >= $1 AND id IN (SELECT unnest($2))',
      [BigInt(oldest), listValue([...new Set(reports.map(({ id }) => id))])],
      [BIGINT, LIST(VARCHAR)],
    );
    return new Set(found.getRows().map(([id]) => String(id)));
  }

  async #fill(table: 'recording' | 'openRecording', rows: readonly StoredRecording[]): Promise<void> {
    if (rows.length === 0) return;
    await fillTable(this.#connection, table, (appender) => {
      for (const row of rows) appendRecording(appender, row);
    });
  }
}

type RecordingName = Pick<StoredRecording, 'id' | 'time'>;

/**
 * What can be stored at once with the same result as one after the other, wherever a batch ends, because every machine has to list
 * the same: reports that give no name, up to one of a recording that was over and is there again, or such that do, each about other
 * names.
 */
function partsOf(reports: readonly StoredRecording[]): readonly (readonly StoredRecording[])[] {
  const parts: { readonly isRenaming: boolean; readonly reports: StoredRecording[] }[] = [];
  let names = new Set<string>();
  /** By which state recordings of the last part were over. */
  let over = new Map<string, StoredRecording['state']>();
  for (const report of reports) {
    const { id, formerID, state } = report;
    const isRenaming = formerID !== undefined;
    const last = parts.at(-1);
    const isApart = isRenaming ? names.has(id) || names.has(formerID) : isBack(state, over.get(id));
    if (last?.isRenaming === isRenaming && !isApart) last.reports.push(report);
    else {
      parts.push({ isRenaming, reports: [report] });
      names = new Set();
      over = new Map();
    }
    if (isRenaming) names.add(id).add(formerID);
    if (state === 'deleted' || isOver(report)) over.set(id, state);
  }
  return parts.map((part) => part.reports);
}

/** Whether there is a recording again, or another file of it. @param before by what it was over. */
const isBack = (state: StoredRecording['state'], before: StoredRecording['state'] | undefined): boolean =>
  before === 'deleted' ? state !== 'deleted' : before !== undefined && state === 'found';

const isOver = (report: StoredRecording | undefined): boolean =>
  report !== undefined && ['saved', 'lost', 'found'].includes(report.state);

function appendRecording(appender: DuckDBAppender, row: StoredRecording): void {
  const video = row.streams.find(({ width }) => width !== undefined);
  const audio = row.streams.find(({ width }) => width === undefined);
  const text = (value: string | undefined) =>
    value === undefined ? appender.appendNull() : appender.appendVarchar(value);
  const integer = (value: number | undefined) =>
    value === undefined ? appender.appendNull() : appender.appendInteger(value);
  appender.appendVarchar(row.id);
  appender.appendBigInt(BigInt(row.time));
  appender.appendBigInt(BigInt(row.endTime));
  appender.appendVarchar(row.monitorID);
  appender.appendBigInt(BigInt(row.bytes));
  text(video?.codec);
  integer(video?.width);
  integer(video?.height);
  text(audio?.codec);
  appender.appendVarchar(row.reason);
  appender.appendBigInt(BigInt(row.reportedAt));
  appender.endRow();
}
