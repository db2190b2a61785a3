import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'smol-toml';

/** The keys of `sentryshot.toml` whose values are paths. */
export type PathKey = 'storage_dir' | 'config_dir' | 'media_dir' | ExternalKey;
/** Those of single files, which may be anywhere. */
export const externalKeys = ['tls.cert', 'tls.key', 'bus.credentials'] as const;
export type ExternalKey = (typeof externalKeys)[number];

type Table = Record<string, unknown>;

/** @returns undefined if the key is absent. */
export function pathIn(text: string, key: PathKey): string | undefined {
  const [, table, name = key] = /^(\w+)\.(\w+)$/.exec(key) ?? [];
  const root = parse(text) as Table;
  const value = (table === undefined ? root : (root[table] as Table | undefined))?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** Whether it is that of a machine of a cluster. */
export function isOfCluster(text: string): boolean {
  const machines = ((parse(text) as Table)['cluster'] as Table | undefined)?.['machines'];
  return Array.isArray(machines) && machines.length > 0;
}

/** Changes paths in the text, and nothing else: comments stay, unless it is written in an unusual way. */
export function withPaths(text: string, paths: ReadonlyMap<PathKey, string>): string {
  const wanted = parse(text) as Table;
  const missing: string[] = [];
  const lines = text.split('\n');
  for (const [key, path] of paths) {
    const [, table, name = key] = /^(\w+)\.(\w+)$/.exec(key) ?? [];
    const owner = table === undefined ? wanted : (wanted[table] as Table);
    owner[name] = path;
    const at = lineOf(lines, table, name);
    const line = `${name} = ${quote(path)}`;
    if (at < 0) missing.push(line);
    else lines[at] = line;
  }
  const changed = [...missing, ...lines].join('\n');
  return isDeepStrictEqual(tryParse(changed), wanted) ? changed : stringify(wanted);
}

/** @returns the index of the line that sets a key; -1 if there is none. */
function lineOf(lines: readonly string[], table: string | undefined, name: string): number {
  const header = table === undefined ? -1 : lines.findIndex((line) => tableOf(line) === table);
  if (table !== undefined && header < 0) return -1;
  const next = lines.findIndex((line, index) => index > header && tableOf(line) !== undefined);
  const end = next < 0 ? lines.length : next;
  return lines.findIndex(
    (line, index) => index > header && index < end && line.split('=', 1)[0]?.trim() === name,
  );
}

/** The name of the table that begins with this line. */
const tableOf = (line: string) => /^\s*\[\[?\s*([\w.-]+)\s*\]/.exec(line)?.[1];

function tryParse(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** A TOML basic string: JSON's escapes, and DEL, which TOML does not allow as it is. */
const quote = (text: string) => JSON.stringify(text).replaceAll('\x7f', '\\u007F');
