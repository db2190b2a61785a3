import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveStart, LiveState } from '../../http/live/live-messages.ts';
import { temporaryFolder } from './folder.ts';
import { waitFor } from './wait.ts';
import type { Feed } from './websocket.ts';

/** What a live view has sent since one of its starts. */
export interface Shown {
  readonly start: LiveStart;
  /** An init segment and the last group of pictures. */
  readonly group: Buffer;
  /** A picture each. */
  readonly fragments: readonly Buffer[];
}

export const statesOf = ({ frames }: Feed): LiveState[] =>
  frames.map((text) => JSON.parse(text) as LiveState).filter(({ type }) => type === 'state');

/** From each start to the next. */
export function shownBy({ messages }: Feed): Shown[] {
  const shown: { start: LiveStart; group: Buffer; fragments: Buffer[] }[] = [];
  let start: LiveStart | undefined;
  for (const message of messages) {
    if (typeof message === 'string') {
      const text = JSON.parse(message) as LiveStart;
      if (text.type === 'start') start = text;
    } else if (start) {
      shown.push({ start, group: message, fragments: [] });
      start = undefined;
    } else {
      shown.at(-1)?.fragments.push(message);
    }
  }
  return shown;
}

/** Waits until so many fragments have come after the start with this number. */
export async function fragmentsFrom(feed: Feed, count: number, index = 0): Promise<Shown> {
  return waitFor(
    () => {
      const shown = shownBy(feed)[index];
      return shown && shown.fragments.length >= count && shown;
    },
    30_000,
    `${count} fragments after start ${index}`,
  );
}

/** As a file that tools can read. */
export async function writeShown({ group, fragments }: Pick<Shown, 'group' | 'fragments'>): Promise<string> {
  const path = join(await temporaryFolder(), 'live.mp4');
  await writeFile(path, Buffer.concat([group, ...fragments]));
  return path;
}

/** The types of the boxes that follow each other in it: `ftyp`, `moov`, `moof`, `mdat`, … */
export function boxesOf(data: Buffer): string[] {
  const types: string[] = [];
  for (let at = 0; at < data.length; at += data.readUInt32BE(at)) {
    types.push(data.toString('latin1', at + 4, at + 8));
  }
  return types;
}
