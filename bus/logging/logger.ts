import { nowUs } from '../base/time.ts';
import type { Log } from '../log.ts';
import type { LogEntry, LogLevel } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { Outbox } from '../nats/outbox.ts';
import { logs } from '../subjects.ts';
import { type LogDraft, RepeatSuppressor } from './repeat-suppressor.ts';

/** How a process logs: plain data, for those beside main as well. */
export interface LogSettings {
  /** How many equal entries of a minute are written as they are, before the rest is counted; 0: all. */
  readonly repeatLimit: number;
  /** Entries of the level debug are printed as well. */
  readonly printDebug: boolean;
}

/** A burst, or what comes while the bus is away. */
const queueLimit = 120_000;
const maxMessageLength = 4096;

/**
 * A process's way into the log: prints each entry and stores it on the bus, in order, as soon as there is one.
 *
 * Once it is configured, only the first few equal entries of a minute are written; those that follow are counted, and
 * told as one entry a minute. A kill takes at most that count along.
 */
export class Logger {
  readonly #outbox: Outbox;
  readonly #folding = new RepeatSuppressor((draft, note) => this.#write(draft, note));
  readonly #print: (entry: LogEntry) => void;
  #printDebug = false;

  /** @param print shows an entry to whoever looks at the process itself; by default, a line on standard output. */
  constructor(print?: (entry: LogEntry) => void) {
    this.#print = print ?? ((entry) => this.#printLine(entry));
    this.#outbox = new Outbox(queueLimit, (count) =>
      this.source('app').error(`${count} log entries were lost while the bus was away`),
    );
  }

  /** From now on entries, and those that waited, go to this bus. */
  attach(bus: Bus): void {
    this.#outbox.attach(bus);
  }

  configure({ repeatLimit, printDebug }: LogSettings): void {
    this.#folding.limit = repeatLimit;
    this.#printDebug = printDebug;
  }

  /** A log whose entries carry this source: `app`, `monitor`, `recorder`, `motion`, … */
  source(src: string): Log {
    const write =
      (level: LogLevel) =>
      (msg: string, monitorID = '') =>
        this.#folding.write({ level, src, monitorID, msg: shortened(msg, maxMessageLength) });
    return { error: write('error'), warning: write('warning'), info: write('info'), debug: write('debug') };
  }

  #write({ level, src, monitorID, msg }: LogDraft, note: string): void {
    const text = shortened(msg, maxMessageLength - note.length) + note;
    const entry = { level, time: nowUs(), msg: text, src, monitorID };
    this.#print(entry);
    this.#outbox.add(logs, [level, src, monitorID], entry);
  }

  #printLine(entry: LogEntry): void {
    if (entry.level !== 'debug' || this.#printDebug) process.stdout.write(`${formatEntry(entry)}\n`);
  }

  /** Tells what was repeats, and waits until every entry is on the bus, `deadline` milliseconds at most. */
  flush(deadline: number): Promise<void> {
    this.#folding.flush();
    return this.#outbox.flush(deadline);
  }
}

const shortened = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** `[WARNING] door: Recorder: disk is slow` */
function formatEntry({ level, monitorID, src, msg }: LogEntry): string {
  const about = monitorID === '' ? '' : `${monitorID}: `;
  // One entry is one line, whatever a camera or a client put into it.
  const text = msg.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return `[${level.toUpperCase()}] ${about}${src.charAt(0).toUpperCase()}${src.slice(1)}: ${text}`;
}
