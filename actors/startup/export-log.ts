import { createWriteStream, statSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { logLevels } from '../../bus/messages.ts';
import { type ExportFormat, exportFormats } from '../../store/log/export/export-format.ts';
import { LogArchive } from '../../store/log/export/log-archive.ts';
import { logFileName } from '../../store/log/log-file.ts';
import type { LogFilter } from '../../store/log/read/log-filter.ts';

const usage = `usage: npm run export -- ARCHIVE --out FILE [--format parquet|csv|ndjson]
         [--from TIME] [--to TIME] [--level LEVEL]… [--source SOURCE]… [--monitor ID]… [--text TEXT]

Exports the log of a recorder that is not running, oldest entries first. ARCHIVE is the storage folder or the
file ${logFileName} in it, which is not changed.

  --out FILE      a new file; - is the standard output (use npm run --silent export)
  --format        format of FILE; by default its extension decides
  --from, --to    entries from a time (included) to a time (not included): 2026-11-23, 2026-11-23T04:05:06Z,
                  or a Unix time in microseconds; UTC if there is no time zone
  --level, --source, --monitor
                  only these; repeat the option or separate values with commas
  --text TEXT     only messages that contain the text`;

const list = { type: 'string', multiple: true } as const;
const options = {
  out: { type: 'string' },
  format: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  level: list,
  source: list,
  monitor: list,
  text: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** The command line is wrong. */
class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'export_usage';
}

interface Task {
  readonly file: string;
  readonly out: string;
  readonly format: ExportFormat;
  readonly filter: LogFilter;
}

/**
 * Exports entries of a log that no recorder has open.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 if the export is complete, 1 otherwise.
 */
export async function exportLog(args: readonly string[]): Promise<number> {
  try {
    const task = read(args);
    if (task) await write(task);
    else process.stdout.write(`${usage}\n`);
    return 0;
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(error instanceof UsageError ? `${message}\n\n${usage}\n` : `${message}\n`);
    return 1;
  }
}

/** @returns undefined if only help is requested. @throws {UsageError} */
function read(args: readonly string[]): Task | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [archive, ...others] = positionals;
  if (archive === undefined || others.length > 0) throw new UsageError('expected one ARCHIVE');
  const { out, text } = values;
  if (out === undefined) throw new UsageError('expected --out');
  const [from, to] = [time('from', values.from), time('to', values.to)];
  const levels = items('level', values.level, new RegExp(`^(${logLevels.join('|')})$`));
  return {
    file: statSync(archive, { throwIfNoEntry: false })?.isDirectory() ? join(archive, logFileName) : archive,
    out,
    format: format(values.format ?? out.split('.').at(-1)),
    filter: {
      levels: logLevels.filter((level) => levels.includes(level)),
      sources: items('source', values.source, /./),
      monitors: items('monitor', values.monitor, /./),
      ...(text !== undefined && { text }),
      ...(from !== undefined && { after: from - 1 }),
      ...(to !== undefined && { time: to }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function format(name: string | undefined): ExportFormat {
  const found = exportFormats.find((known) => known === name);
  if (!found) throw new UsageError(`expected --format ${exportFormats.join('|')}`);
  return found;
}

/** @throws {UsageError} for a value that does not match `shape`. */
function items(name: string, values: readonly string[] = [], shape: RegExp): string[] {
  const found = values.flatMap((value) => value.split(','));
  const odd = found.find((item) => !shape.test(item));
  if (odd !== undefined) throw new UsageError(`--${name} cannot be '${odd}'`);
  return found;
}

/** @returns Unix microseconds. */
function time(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{14,16}$/.test(text)) return Number(text);
  // Date.parse takes a time of day without a time zone for local time.
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const found = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(zoned) * 1000 : Number.NaN;
  if (Number.isNaN(found)) throw new UsageError(`--${name}: expected a time, not '${text}'`);
  return found;
}

async function write({ file, out, format, filter }: Task): Promise<void> {
  const archive = await LogArchive.open(file);
  try {
    const pieces = Readable.from(archive.export(filter, format), { highWaterMark: 1 });
    if (out === '-') return await pipeline(pieces, process.stdout);
    await writeFile(out, pieces);
    const { size } = await stat(out);
    process.stdout.write(`Wrote ${out} (${size} bytes)\n`);
  } finally {
    await archive.close();
  }
}

/** Writes a new file, and removes it on failure, so that no partial file is taken for a complete one. */
async function writeFile(out: string, pieces: Readable): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  let begun = false;
  try {
    const file = createWriteStream(out, { flags: 'wx', mode: 0o640 });
    file.once('open', () => {
      begun = true;
    });
    await pipeline(pieces, file, { signal: interrupted.signal });
  } catch (error) {
    if (begun) await rm(out, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new Error(`${out} already exists`, { cause: error });
    if (code === 'ABORT_ERR') throw new Error('interrupted; nothing was written', { cause: error });
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}
