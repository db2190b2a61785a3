import type { JsonObject } from '../../../../../store/base/json.ts';

/** A monitor that has not been saved yet. */
export const newMonitor: JsonObject = {
  id: '',
  name: '',
  enable: true,
  alwaysRecord: true,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: '' },
};

const sources = ['rtsp', 'file', 'test'];

/**
 * A monitor as it is sent: sources that are not in use stay as they were saved, because what was typed for them is seen no more, and
 * may be refused.
 *
 * @param saved undefined if it was not saved yet.
 */
export function sentMonitor(monitor: JsonObject, saved?: JsonObject): JsonObject {
  const unused = sources.filter((name) => name !== monitor['source']).map((name) => `source${name}`);
  const others = Object.entries(monitor).filter(([name]) => !unused.includes(name));
  const kept = Object.entries(saved ?? {}).filter(([name]) => unused.includes(name));
  return Object.fromEntries([...others, ...kept]);
}

const maxLength = 24;

/** An id made of a name, `Front door` → `frontdoor`; with a number if it is taken. */
export function idOfName(name: string, taken: readonly string[]): string {
  const plain = name
    .toLowerCase()
    .replace(/ä|ö|ü|ß/g, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter] ?? letter)
    .normalize('NFD')
    .replace(/[^a-z0-9]/g, '')
    .slice(0, maxLength);
  if (plain === '' && name === '') return '';
  const base = plain || 'camera';
  let id = base;
  for (let count = 2; taken.includes(id); count += 1) {
    id = `${base.slice(0, maxLength - String(count).length)}${count}`;
  }
  return id;
}
