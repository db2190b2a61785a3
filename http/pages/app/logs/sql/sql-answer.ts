import { change } from '../../data/change.ts';

/** An answer of `/api/log/sql`. */
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly SqlCell[])[];
  readonly truncated: boolean;
}

export type SqlCell = string | number | boolean | null;

/** What a chart shows of an answer: a number for each name. */
export interface SqlBars {
  readonly label: string;
  readonly value: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const maxBars = 60;

/** @throws {RequestFailure} with the reason, if the statement is refused. */
export async function runSql(sql: string, accept: string, signal?: AbortSignal): Promise<Response> {
  return change('POST', '/api/log/sql', { sql }, { signal, accept });
}

/** The last column of numbers, by the texts of the columns before it; undefined if there is no such column. */
export function barsOf({ columns, rows }: SqlAnswer): SqlBars | undefined {
  const isNumber = (index: number) =>
    rows.some((row) => typeof row[index] === 'number') &&
    rows.every((row) => row[index] === null || typeof row[index] === 'number');
  const index = columns.findLastIndex((_, at) => at > 0 && isNumber(at));
  if (index < 0) return undefined;
  const names = columns.slice(0, index).map((_, at) => at);
  // A column of numbers that comes before is another measure, unless it is the only name.
  const texts = names.filter((at) => !isNumber(at));
  const chosen = texts.length > 0 ? texts : names.slice(0, 1);
  const bars = rows.slice(0, maxBars).map((row) => ({
    name: chosen.map((at) => String(row[at] ?? '')).join(' · '),
    value: Number(row[index] ?? 0),
  }));
  const label = chosen.map((at) => columns[at]?.name ?? '').join(' · ');
  return { label, value: columns[index]?.name ?? '', bars };
}
