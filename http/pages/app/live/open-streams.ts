import { closeSocket } from '../data/close-socket.ts';
import type { Known } from '../data/known.ts';
import type { OpenedAhead } from '../data/sockets.ts';
import { closeVideo, type OpenedVideo, openVideo } from './stream/opened-video.ts';
import { bestGrid, layoutKey, layouts, streamForWidth } from './tile-size.ts';

/**
 * Opens the streams that the live page will show at once, and videos for them. The build writes this into the document, so that it runs before the
 * page's own script is there: loading and rendering take a browser some 0.2 s, in which the streams get ready. Where the
 * guess of the stream is wrong, the tile opens the other one.
 */

/** CSS pixels above the tiles: the bar and the switches. */
const barHeight = 120;
/** More tiles than these may be too many to be seen at once. */
const maxTiles = 9;
/** An unused socket is closed after this time. */
const aheadMs = 3000;

const { monitors = [] } = JSON.parse(document.querySelector('#known')?.textContent || '{}') as Known;
const alone = new URLSearchParams(location.search).get('monitor');
const shown = monitors.filter(({ id }) => alone === null || id === alone);
if (/\/live$/.test(location.pathname) && !document.hidden && shown.length <= maxTiles) openAll();

function openAll(): void {
  const ahead = new Map<string, OpenedAhead>();
  window.streamsAhead = ahead;
  const videos = new Map<string, OpenedVideo>();
  window.videosAhead = videos;
  const count = shown.length;
  const chosen = layouts.find((one) => one === localStorage.getItem(layoutKey)) ?? 'auto';
  const tiles =
    chosen === 'auto' || alone !== null
      ? bestGrid(count, innerWidth, innerHeight - barHeight)
      : { columns: Number(chosen), width: innerWidth };
  const stream = streamForWidth(tiles.width / tiles.columns, devicePixelRatio, undefined);
  for (const { id } of shown) {
    // Relative to `/live`, wherever a proxy has it.
    const address = new URL(`api/monitor/${id}/live?stream=${stream}`, location.href);
    address.protocol = location.protocol.replace('http', 'ws');
    const opened: OpenedAhead = { socket: new WebSocket(address), early: [] };
    opened.socket.binaryType = 'arraybuffer';
    opened.socket.onmessage = (message) => opened.early.push(message);
    ahead.set(address.href, opened);
    const video = openVideo();
    videos.set(id, video);
    setTimeout(() => {
      // Not if the page has taken it.
      if (ahead.delete(address.href)) closeSocket(opened.socket);
      if (videos.delete(id)) closeVideo(video);
    }, aheadMs);
  }
}
