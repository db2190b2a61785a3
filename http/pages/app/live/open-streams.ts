import { knownMonitors } from '../data/known.ts';
import { openAhead } from '../data/sockets.ts';
import { livePath } from './stream/live-connection.ts';
import { bestGrid, layout, streamForWidth } from './tile-layout.ts';

/** CSS pixels above the tiles: the bar and the switches. */
const barHeight = 120;
/** More tiles than these may be too many to be seen at once. */
const maxTiles = 9;

/**
 * Opens the streams that the live page will show at once. Rendering takes a slow device some 0.2 s, in which they get
 * ready. Where the guess of the stream is wrong, the tile opens the other one.
 */
export function openStreams({ pathname, searchParams }: URL): void {
  if (pathname !== '/live' || document.hidden) return;
  const alone = searchParams.get('monitor');
  const shown = knownMonitors().filter(({ id }) => alone === null || id === alone);
  if (shown.length > maxTiles) return;
  const count = shown.length;
  const tiles =
    layout.value === 'auto' || alone !== null
      ? bestGrid(count, innerWidth, innerHeight - barHeight)
      : { columns: Number(layout.value), width: innerWidth };
  const stream = streamForWidth(tiles.width / tiles.columns, devicePixelRatio, undefined);
  for (const { id } of shown) openAhead(livePath(id, stream));
}
