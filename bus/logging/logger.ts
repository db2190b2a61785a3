import { nowUs } from '../base/time.ts';
import type { Log } from '../log.ts';
import type { LogEntry, LogLevel } from '../messages.ts';
import type { Bus } from '../nats/bus.ts';
import { Outbox } from '../nats/outbox.ts';
import { logs } from '../subjects.ts';
import { openJournal } from '../systemd/journal.ts';
import { type LogDraft, RepeatSuppressor } from './repeat-suppressor.ts';

/** Settings of a process's log. Plain data, because child processes receive it as a message. */
export interface LogSettings {
  /** How many equal entries per minute are written; further ones are only counted. 0: all are written. */
  readonly repeatLimit: number;
  /** Also prints entries of level debug. */
  readonly printDebug: boolean;
}

/** Entries that may wait: a burst, or an outage of the bus. */
const queueLimit = 120_000;
const maxMessageLength = 4096;

/**
 * The log of a process: prints each entry and stores it on the bus, in order, once a bus is attached.
 *
 * After `configure`, only the first few equal entries of a minute are written; the rest is counted and written as one entry
 * per minute. A kill loses at most that count.
 */
export class Logger {
  readonly #outbox: Outbox;
  readonly #repeats = new RepeatSuppressor((draft, note) => this.#write(draft, note));
  readonly #print: (entry: LogEntry) => void;
  readonly #journal = openJournal(process.env);
  #printDebug = false;

  /** @param print prints an entry; by default to the system's journal, or as a line on standard output. */
  constructor(print?: (entry: LogEntry) => void) {
    this.#print = print ?? ((entry) => this.#printLine(entry));
    this.#outbox = new Outbox(queueLimit, (count) =>
      this.source('app').error(`${count} log entries were lost while the bus was unreachable`),
    );
  }

  /** Sends new entries, and those already waiting, to this bus. */
  attach(bus: Bus): void {
    this.#outbox.attach(bus);
  }

  configure({ repeatLimit, printDebug }: LogSettings): void {
    this.#repeats.limit = repeatLimit;
    this.#printDebug = printDebug;
  }

  /** A log whose entries carry this source: `app`, `monitor`, `recorder`, `motion`, … */
  source(src: string): Log {
    const write =
      (level: LogLevel) =>
      (msg: string, monitorID = '') =>
        this.#repeats.write({ level, src, monitorID, msg: shortened(msg, maxMessageLength) });
    return { error: write('error'), warning: write('warning'), info: write('info'), debug: write('debug') };
  }

  #write({ level, src, monitorID, msg }: LogDraft, note: string): void {
    const text = shortened(msg, maxMessageLength - note.length) + note;
    const entry = { level, time: nowUs(), msg: text, src, monitorID };
    this.#print(entry);
    this.#outbox.add(logs, [level, src, monitorID], entry);
  }

  #printLine(entry: LogEntry): void {
    if (entry.level === 'debug' && !this.#printDebug) return;
    // The journal also gets lines of standard output, so that nothing is lost if its socket does not take an entry.
    if (!this.#journal?.(entry)) process.stdout.write(`${formatEntry(entry)}\n`);
  }

  /** Writes the counts of repeats, and waits until the bus has stored every entry, for at most `deadline` milliseconds. */
  async flush(deadline: number): Promise<void> {
    this.#repeats.flush();
    await this.#outbox.flush(deadline);
  }
}

const shortened = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** `[WARNING] door: Recorder: disk is slow` */
function formatEntry({ level, monitorID, src, msg }: LogEntry): string {
  const about = monitorID === '' ? '' : `${monitorID}: `;
  // Control characters from a camera or a client must not break the line.
  const text = msg.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return `[${level.toUpperCase()}] ${about}${src.charAt(0).toUpperCase()}${src.slice(1)}: ${text}`;
}
