/** Safari on phones has this one only. */
declare global {
  interface Window {
    readonly ManagedMediaSource?: typeof MediaSource;
  }
}

/** A source that is attached to a video element, and open or about to be. */
export interface OpenedSource {
  readonly source: MediaSource;
  readonly address: string;
}

/** @returns undefined if the browser has no Media Source Extensions at all. */
export function mediaSource(): typeof MediaSource | undefined {
  return typeof MediaSource === 'undefined' ? window.ManagedMediaSource : MediaSource;
}

/** Opens a new source for a video element, in the place of the one before. @returns undefined if the browser has none. */
export function openSource(video: HTMLVideoElement): OpenedSource | undefined {
  const Source = mediaSource();
  if (!Source) return undefined;
  const source = new Source();
  const address = URL.createObjectURL(source);
  // Phones demand it for ManagedMediaSource.
  video.disableRemotePlayback = true;
  video.src = address;
  return { source, address };
}
