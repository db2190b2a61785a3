import { type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import { Mutex } from '../../../bus/base/mutex.ts';
import type { RecordingReport } from '../../../bus/messages.ts';
import type { CataloguePage, ComparedPage } from '../schema/stored-recordings.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import type { RecordingWriter } from './recording-writer.ts';
import { recordingRow, type StoredRecording } from './rows.ts';

/** Recordings known here that are looked at in one step. */
const stepSize = 1000;

/** Ids of recordings that are remembered: hours of them. */
const maxIDs = 10_000;

/** A recording as it is known here. */
interface Known {
  readonly id: string;
  readonly monitorID: string;
  readonly time: number;
  readonly bytes: number;
  /** Its end was reported. */
  readonly isOver: boolean;
}

/**
 * What another machine has on its disk, and what is known of it here. Its stream says what changes; what it had before the
 * oldest message of that stream, or what became of it while messages were missed, only its own catalogue says, page by page.
 *
 * A page holds for a place in the stream. It counts once that was read here, for all recordings but those of which the stream has said
 * something since.
 */
export class RecordingComparison {
  readonly #connection: DuckDBConnection;
  readonly #positions: Positions;
  readonly #writer: RecordingWriter;
  readonly #turns = new Mutex();
  readonly #recent = new RecentReports();
  #gaps = 0;
  /** When the comparison that is under way began: of which stream, and how many gaps there had been. */
  #begun: { readonly identity: string; readonly gaps: number } | undefined;

  constructor(connection: DuckDBConnection, positions: Positions, writer: RecordingWriter) {
    this.#connection = connection;
    this.#positions = positions;
    this.#writer = writer;
  }

  /** Adds what the stream says. */
  append(reports: readonly StoredRecording[], position: Position): Promise<void> {
    return this.#turns.runExclusive(async () => {
      const { gaps = 0 } = position;
      // First: should this process end now, the gap is noticed once more.
      if (gaps > this.#gaps) await this.#positions.forget('COMPARED');
      this.#gaps = gaps;
      this.#recent.add(reports, position);
      await this.#writer.append(reports, position);
    });
  }

  /** Whether a comparison is to be done: the stream was never compared, is another one, or messages of it were missed. */
  async isDue(): Promise<boolean> {
    const [read, compared] = [
      await this.#positions.read('RECORDINGS'),
      await this.#positions.read('COMPARED'),
    ];
    return read.identity !== compared.identity;
  }

  /**
   * Adds the recordings of a page that are not known, and removes those that are known and not in it.
   *
   * @param after the page is that of the ids after this one; a comparison begins with `''`.
   * @returns undefined if the page cannot be compared yet, or the comparison has to begin again.
   */
  compare(after: string, page: CataloguePage): Promise<ComparedPage | undefined> {
    return this.#turns.runExclusive(async () => {
      const { identity, sequence } = await this.#positions.read('RECORDINGS');
      if (after === '') this.#begun = { identity, gaps: this.#gaps };
      const isSame = page.identity === identity && page.identity === this.#begun?.identity;
      if (!isSame || page.sequence > sequence) return undefined;
      const told = page.sequence === sequence ? new Set<string>() : this.#recent.after(page.sequence);
      if (!told) return undefined;

      const end = page.isLast ? undefined : page.recordings.at(-1)?.id;
      const known = await this.#known(after, end);
      const border = known.length === stepSize ? known.at(-1)?.id : end;
      const listed = page.recordings.filter(({ id }) => border === undefined || id <= border);
      const found = unlisted(listed, known, told);
      const missing = missingOf(listed, known, told);
      const isDone = border === undefined && this.#gaps === this.#begun?.gaps;
      const rows = [...found, ...missing].map((report) => recordingRow(report, 0, 0));
      const compared = { identity: isDone ? identity : '', sequence: 0, time: 0, readAt: 0 };
      await this.#writer.append(rows, compared, 'COMPARED');
      return { added: found.length, removed: missing.length, next: border };
    });
  }

  /** In the order of their ids. @param end the last id that is looked at; all if undefined. */
  async #known(after: string, end: string | undefined): Promise<Known[]> {
    const ask = () =>
      this.#connection.runAndReadAll(
        `SELECT id, monitorID, time, bytes, isOver FROM (
          SELECT id, monitorID, time, bytes, true AS isOver FROM recording
          UNION ALL SELECT id, monitorID, time, bytes, false FROM openRecording)
        WHERE id > $1 ${end === undefined ? '' : 'AND id <= $2'} AND id NOT IN (SELECT id FROM removal)
        ORDER BY id LIMIT ${stepSize}`,
        end === undefined ? [after] : [after, end],
        end === undefined ? [VARCHAR] : [VARCHAR, VARCHAR],
      );
    const found = await this.#positions.ask(ask);
    return found.getRows().map(([id, monitorID, time, bytes, isOver]) => ({
      id: String(id),
      monitorID: String(monitorID),
      time: Number(time),
      bytes: Number(bytes),
      isOver: isOver === true,
    }));
  }
}

/** What is on that disk, and not known, or otherwise. What is being written is told by the stream. */
function unlisted(
  listed: readonly RecordingReport[],
  known: readonly Known[],
  told: ReadonlySet<string>,
): RecordingReport[] {
  const byID = new Map(known.map((one) => [one.id, one]));
  return listed.filter(({ id, state, bytes }) => {
    const one = byID.get(id);
    return state === 'found' && !told.has(id) && !(one?.isOver && one.bytes === bytes);
  });
}

/** The reports of what is known, and not on that disk. */
function missingOf(
  listed: readonly RecordingReport[],
  known: readonly Known[],
  told: ReadonlySet<string>,
): RecordingReport[] {
  const ids = new Set(listed.map(({ id }) => id));
  return known
    .filter(({ id }) => !ids.has(id) && !told.has(id))
    .map(({ id, monitorID, time }) => ({
      ...{ id, monitorID, state: 'deleted', start: time, end: time, bytes: 0, streams: [], reason: '' },
      // Nobody knows why, and they may be all that is left.
      keepsEvents: true,
    }));
}

/** Of which recordings a stream has said something since a place in it. */
export class RecentReports {
  #identity = '';
  /** Since this place everything is remembered. */
  #since = Number.POSITIVE_INFINITY;
  #last = 0;
  /** The place of the newest report of each recording, or one behind it; the oldest first. */
  readonly #places = new Map<string, number>();

  /** @param position behind the reports. */
  add(reports: readonly { readonly id: string }[], { identity, sequence }: Position): void {
    if (identity !== this.#identity || sequence < this.#last) {
      this.#places.clear();
      this.#identity = identity;
      this.#since = sequence;
    }
    this.#last = sequence;
    for (const { id } of reports) {
      this.#places.delete(id);
      this.#places.set(id, sequence);
    }
    for (const [id, place] of this.#places) {
      if (this.#places.size <= maxIDs) return;
      this.#places.delete(id);
      this.#since = Math.max(this.#since, place);
    }
  }

  /** @returns at least those that were reported behind this place; undefined if that is no longer known. */
  after(sequence: number): ReadonlySet<string> | undefined {
    if (sequence < this.#since) return undefined;
    return new Set([...this.#places].flatMap(([id, place]) => (place > sequence ? [id] : [])));
  }
}
