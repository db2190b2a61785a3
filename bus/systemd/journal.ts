import { fstatSync } from 'node:fs';
import type { LogEntry, LogLevel } from '../messages.ts';
import { DatagramSender } from './datagram-sender.ts';

const socketFile = '/run/systemd/journal/socket';

/** syslog(3): error, warning, informational, debug. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };

/**
 * The system's journal, if this process's standard output goes there (systemd names that stream in `JOURNAL_STREAM`):
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
 *
 * @returns writes an entry, and returns whether the journal took it; undefined without a journal.
 */
export function openJournal(env: NodeJS.ProcessEnv): ((entry: LogEntry) => boolean) | undefined {
  if (!isStandardOutput(env['JOURNAL_STREAM'])) return undefined;
  const sender = new DatagramSender(socketFile);
  return (entry) => sender.send(journalMessage(entry));
}

/** @param stream device and inode, `8:123`. */
function isStandardOutput(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(1);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Fields that `journalctl MONITOR=door` finds, and the level as every reader of the journal knows it. */
function journalMessage({ level, src, monitorID, msg }: LogEntry): Buffer {
  const fields: readonly [string, string][] = [
    ['MESSAGE', msg],
    ['PRIORITY', String(priorities[level])],
    ['SYSLOG_IDENTIFIER', 'sentrybus'],
    ['LEVEL', level],
    ['SOURCE', src],
    ...(monitorID === '' ? [] : [['MONITOR', monitorID] satisfies [string, string]]),
  ];
  return Buffer.concat(fields.flatMap(([name, value]) => field(name, value)));
}

/** With its length before it, so that a line break in a text begins no field. */
function field(name: string, value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')];
}
