import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '../../bus/base/files.ts';
import { deepFreeze, plainJson } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import { readTextFile } from '../base/text-file.ts';
import type { MonitorConfig } from './monitor-config.ts';
import type { MonitorParser } from './monitor-parser.ts';

/** A file that is not a valid monitor. */
export interface BrokenMonitor {
  /** Absolute. */
  readonly file: string;
  /** From the file's name; empty if that is not a valid id. */
  readonly monitorID: string;
  /** One line, with the JSON pointer of the bad field if there is one. */
  readonly error: string;
}

/** A monitor usually takes 1000 to 2000 bytes. */
const maxMonitorFileBytes = 65_536;

/** The content of a monitor's file. */
export const monitorText = (config: MonitorConfig): string => `${JSON.stringify(config, undefined, 2)}\n`;

/**
 * @param taken names of other monitors' files, which may be any after a copy by hand.
 * @returns the name of a new monitor's file: `<id>.json`, or `<id>-2.json` if that is another one's, and so on.
 */
export function freeFile(id: string, taken: ReadonlySet<string>): string {
  let file = `${id}.json`;
  for (let number = 2; taken.has(file); number += 1) file = `${id}-${number}.json`;
  return file;
}

/** @throws {StoreError} `invalid` if the text is too long for a monitor's file. */
export function checkSize(text: string): void {
  if (Buffer.byteLength(text) <= maxMonitorFileBytes) return;
  throw new StoreError('invalid', `expected at most ${maxMonitorFileBytes} bytes`, { pointer: '' });
}

/** Reads every `*.json` of the folder, ordered by name; creates the folder if it is missing. */
export async function readMonitors(
  folder: string,
  parser: MonitorParser,
): Promise<{
  monitors: { config: MonitorConfig; file: string }[];
  broken: BrokenMonitor[];
}> {
  await ensureFolder(folder);
  const monitors = new Map<string, { config: MonitorConfig; file: string }>();
  const broken: BrokenMonitor[] = [];
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  for (const file of files.sort()) {
    try {
      const config = await readMonitor(join(folder, file), parser);
      const first = monitors.get(config.id)?.file;
      if (first !== undefined) throw new Error(`/id: ${first} already has a monitor with this id`);
      monitors.set(config.id, { config: deepFreeze(config), file });
    } catch (error) {
      const monitorID = /^([A-Za-z0-9]{1,24})\.json$/.exec(file)?.[1] ?? '';
      broken.push({ file: join(folder, file), monitorID, error: reason(error) });
    }
  }
  return { monitors: [...monitors.values()], broken };
}

async function readMonitor(path: string, parser: MonitorParser): Promise<MonitorConfig> {
  const status = await stat(path);
  if (!status.isFile()) throw new Error('expected a file');
  if (status.size > maxMonitorFileBytes) throw new Error(`expected at most ${maxMonitorFileBytes} bytes`);
  const text = await readTextFile(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message is left out because it quotes the file, perhaps a password.
    throw new Error('expected JSON');
  }
  return parser.parseFile(plainJson(json));
}

function reason(error: unknown): string {
  if (error instanceof StoreError)
    return error.pointer ? `${error.pointer}: ${error.message}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
