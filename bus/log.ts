import type { Bus } from './connection.ts';
import { type Draft, Folding } from './folding.ts';
import type { LogEntry, LogLevel } from './messages.ts';
import { Outbox } from './outbox.ts';
import { logs } from './subjects.ts';
import { nowMicroseconds } from './time.ts';

/** Writes log entries. `monitorID` is the monitor that the entry is about, if it is about one. */
export interface Log {
  /** Somebody must act. */
  error(msg: string, monitorID?: string): void;
  /** Something went wrong and was made good. */
  warning(msg: string, monitorID?: string): void;
  /** A state changed. */
  info(msg: string, monitorID?: string): void;
  /** The rest; never once per frame. */
  debug(msg: string, monitorID?: string): void;
}

/** How a process logs: plain data, for those beside main as well. */
export interface LogSettings {
  /** How many equal entries of a minute are written as they are, before the rest is counted; 0: all. */
  readonly foldAfter: number;
  /** Entries of the level debug are printed as well. */
  readonly printDebug: boolean;
}

/** A burst, or what comes while the bus is away. */
const queueLimit = 120_000;
const longestMessage = 4096;

/**
 * A process's way into the log: prints each entry and stores it on the bus, in order, as soon as there is one.
 *
 * Once it is configured, only the first few equal entries of a minute are written; those that follow are counted, and
 * told as one entry a minute. A kill takes at most that count along.
 */
export class Logger {
  readonly #outbox: Outbox;
  readonly #folding = new Folding((draft, note) => this.#write(draft, note));
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

  configure({ foldAfter, printDebug }: LogSettings): void {
    this.#folding.after = foldAfter;
    this.#printDebug = printDebug;
  }

  /** A log whose entries carry this source: `app`, `monitor`, `recorder`, `motion`, … */
  source(src: string): Log {
    const write =
      (level: LogLevel) =>
      (msg: string, monitorID = '') =>
        this.#folding.take({ level, src, monitorID, msg: shortened(msg, longestMessage) });
    return { error: write('error'), warning: write('warning'), info: write('info'), debug: write('debug') };
  }

  #write({ level, src, monitorID, msg }: Draft, note: string): void {
    const text = shortened(msg, longestMessage - note.length) + note;
    const entry = { level, time: nowMicroseconds(), msg: text, src, monitorID };
    this.#print(entry);
    this.#outbox.add(logs, [level, src, monitorID], entry);
  }

  #printLine(entry: LogEntry): void {
    if (entry.level !== 'debug' || this.#printDebug) process.stdout.write(`${formatEntry(entry)}\n`);
  }

  /** Tells what was folded, and waits until every entry is on the bus, `deadline` milliseconds at most. */
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
