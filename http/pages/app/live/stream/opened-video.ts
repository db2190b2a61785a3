import { type OpenedSource, openSource } from '../../media/media-source.ts';

declare global {
  interface Window {
    /** By the monitor: made by `live/open-streams.ts`, for the tiles. */
    videosAhead?: Map<string, OpenedVideo>;
  }
}

/** A video element, and the source that it plays once media come. */
export interface OpenedVideo {
  readonly video: HTMLVideoElement;
  /** Undefined if none is open yet, or the browser has no Media Source Extensions. */
  readonly source: OpenedSource | undefined;
}

/** Makes a silent video element that waits for media: opening its source takes a new process of the browser 0.1 s. */
export function openVideo(): OpenedVideo {
  const video = silentVideo();
  return { video, source: openSource(video) };
}

function silentVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  return video;
}

/** The element that was opened ahead for this monitor; or a new one, whose source is opened when it plays: browsers limit them. */
export function takeVideo(monitorID: string): OpenedVideo {
  const opened = window.videosAhead?.get(monitorID) ?? { video: silentVideo(), source: undefined };
  window.videosAhead?.delete(monitorID);
  return opened;
}

/** Gives up what an element that nobody has taken holds. */
export function closeVideo({ video, source }: OpenedVideo): void {
  video.removeAttribute('src');
  video.load();
  if (source) URL.revokeObjectURL(source.address);
}
