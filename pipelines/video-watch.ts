import type { VideoUnit } from './media/unit.ts';

/** Packets come (their source watches over that), but no picture can be made of them. */
const pictureDeadlineMs = 60_000;
/** Without a key frame nothing can be recorded or decoded, and some cameras send one a minute. */
const keyFrameDeadlineMs = 60_000;

export interface VideoWatchOptions {
  /** Gets why nothing can be made of what comes. */
  readonly onNothing: (detail: string) => void;
  /** Gets why nothing can be recorded yet, and null when it can. */
  readonly onTrouble: (text: string | null) => void;
}

/** Watches over what comes of a stream that is not silent. */
export class VideoWatch {
  readonly #options: VideoWatchOptions;
  #nothing: NodeJS.Timeout | undefined;
  #keyFrame: NodeJS.Timeout | undefined;
  #isTroubled = false;

  constructor(options: VideoWatchOptions) {
    this.#options = options;
  }

  /** The first packet has come; how long a camera may take until then is decided elsewhere. */
  begin(): void {
    const { onNothing, onTrouble } = this.#options;
    this.#nothing = setTimeout(
      () => onNothing('what comes is no video: no picture for 60 s'),
      pictureDeadlineMs,
    );
    this.#keyFrame = setTimeout(() => {
      this.#isTroubled = true;
      onTrouble(
        'the camera has sent no key frame for 60 s; recording and detection begin with the first one',
      );
    }, keyFrameDeadlineMs);
  }

  take({ keyFrame }: VideoUnit): void {
    this.#nothing?.refresh();
    if (!keyFrame || !this.#keyFrame) return;
    clearTimeout(this.#keyFrame);
    this.#keyFrame = undefined;
    if (this.#isTroubled) this.#options.onTrouble(null);
  }

  close(): void {
    clearTimeout(this.#nothing);
    clearTimeout(this.#keyFrame);
  }
}
