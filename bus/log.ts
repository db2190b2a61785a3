import { nuid } from '@nats-io/transport-node';
import type { Bus } from './connection.ts';
import type { LogEntry, LogLevel } from './messages.ts';
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

/** Entries that wait for a bus that is away. Past this the oldest go, counted. */
const queueLimit = 10_000;
const inFlightLimit = 256;
const longestMessage = 4096;

interface Queued {
  readonly id: string;
  readonly entry: LogEntry;
}

/**
 * A process's way into the log: prints each entry and stores it on the bus, in order, as soon as there is one.
 */
export class Logger {
  readonly #waiting: Queued[] = [];
  readonly #print: (entry: LogEntry) => void;
  #inFlight = 0;
  #dropped = 0;
  #bus: Bus | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** @param print shows an entry to whoever looks at the process itself. */
  constructor(print: (entry: LogEntry) => void = printEntry) {
    this.#print = print;
  }

  /** From now on entries, and those that waited, go to this bus. */
  attach(bus: Bus): void {
    this.#bus = bus;
    this.#pump();
  }

  /** A log whose entries carry this source: `app`, `monitor`, `recorder`, `motion`, … */
  source(src: string): Log {
    const write = (level: LogLevel) => (msg: string, monitorID?: string) => {
      this.#write({
        level,
        time: nowMicroseconds(),
        msg: msg.length > longestMessage ? `${msg.slice(0, longestMessage - 1)}…` : msg,
        src,
        monitorID: monitorID ?? '',
      });
    };
    return { error: write('error'), warning: write('warning'), info: write('info'), debug: write('debug') };
  }

  /** Waits until every entry is on the bus, `deadline` milliseconds at most. */
  async flush(deadline: number): Promise<void> {
    const end = Date.now() + deadline;
    while ((this.#waiting.length > 0 || this.#inFlight > 0) && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #write(entry: LogEntry): void {
    this.#print(entry);
    this.#enqueue(entry);
    this.#pump();
  }

  #enqueue(entry: LogEntry): void {
    this.#waiting.push({ id: nuid.next(), entry });
    if (this.#waiting.length <= queueLimit) return;
    this.#waiting.shift();
    this.#dropped += 1;
  }

  #pump(): void {
    const bus = this.#bus;
    if (!bus || this.#retry) return;
    while (this.#inFlight < inFlightLimit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inFlight += 1;
      const { level, src, monitorID } = next.entry;
      bus
        .store(logs, [level, src, monitorID], next.entry, next.id)
        .then(() => this.#reportDropped())
        .catch(() => this.#again(next))
        .finally(() => {
          this.#inFlight -= 1;
          this.#pump();
        });
    }
  }

  /** The id makes a second attempt harmless when only the first one's acknowledgement was lost. */
  #again(entry: Queued): void {
    this.#waiting.unshift(entry);
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
    }, 200);
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.source('app').error(`${count} log entries were lost while the bus was away`);
  }
}

/** `[WARNING] door: Recorder: disk is slow` on standard output, debug entries left out. */
function printEntry(entry: LogEntry): void {
  if (entry.level !== 'debug') process.stdout.write(`${formatEntry(entry)}\n`);
}

export function formatEntry({ level, monitorID, src, msg }: LogEntry): string {
  const about = monitorID === '' ? '' : `${monitorID}: `;
  // One entry is one line, whatever a camera or a client put into it.
  const text = msg.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return `[${level.toUpperCase()}] ${about}${src.charAt(0).toUpperCase()}${src.slice(1)}: ${text}`;
}
