import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder } from '../../bus/base/files.ts';
import { deepFreeze, plainJson } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import type { MonitorConfig } from './monitor-config.ts';
import { parseMonitorFile } from './monitor-parser.ts';

/** A file that could not be read as a monitor. */
export interface BrokenMonitor {
  /** Absolute. */
  readonly file: string;
  /** From the file's name; empty when that is not a monitor's id. */
  readonly monitorID: string;
  /** One line, with the pointer of the bad field where there is one. */
  readonly error: string;
}

/** Bytes. A monitor takes one or two thousand. */
export const maxMonitorFileBytes = 65_536;

/** Reads every `*.json` of the folder in the order of the names, and makes the folder when it is missing. */
export async function readMonitors(folder: string): Promise<{
  monitors: { config: MonitorConfig; file: string }[];
  broken: BrokenMonitor[];
}> {
  await ensureFolder(folder);
  const monitors = new Map<string, { config: MonitorConfig; file: string }>();
  const broken: BrokenMonitor[] = [];
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  for (const file of files.sort()) {
    try {
      const config = await readMonitor(join(folder, file));
      const first = monitors.get(config.id)?.file;
      if (first !== undefined) throw new Error(`/id: ${first} holds a monitor with this id already`);
      monitors.set(config.id, { config: deepFreeze(config), file });
    } catch (error) {
      const monitorID = /^([A-Za-z0-9]{1,24})\.json$/.exec(file)?.[1] ?? '';
      broken.push({ file: join(folder, file), monitorID, error: reason(error) });
    }
  }
  return { monitors: [...monitors.values()], broken };
}

async function readMonitor(path: string): Promise<MonitorConfig> {
  const status = await stat(path);
  if (!status.isFile()) throw new Error('expected a file');
  if (status.size > maxMonitorFileBytes) throw new Error(`expected at most ${maxMonitorFileBytes} bytes`);
  const text = await readFile(path, 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message quotes the file, and with it perhaps a password.
    throw new Error('expected JSON');
  }
  return parseMonitorFile(plainJson(json));
}

function reason(error: unknown): string {
  if (error instanceof StoreError)
    return error.pointer ? `${error.pointer}: ${error.message}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
