import { batch, signal } from '@preact/signals';
import type { OpenedSource } from '../../media/media-source.ts';
import { type Absence, LiveConnection } from './live-connection.ts';
import type {
  DetectionsMessage,
  ShownStream,
  StartMessage,
  StateMessage,
  ZonesMessage,
} from './live-message.ts';
import { canPlay, MediaFeed } from './media-feed.ts';
import { closeVideo, type OpenedVideo } from './opened-video.ts';

/** What the browser cannot play: a codec, or anything live at all. */
export type Unplayable = { readonly codec: string } | 'no media source';

/** So long a sub stream may take to its first picture before the main stream is shown instead. */
const subPatienceMs = 12_000;
/** Detections that are older than the picture on the screen are no longer shown. */
const maxDetectionAgeS = 1;
/** Detections come before, or shortly after, their picture is on the screen. */
const maxFound = 50;

/** Whether any monitor has detections, or zones, so that there is something to switch on and off. */
export const detectionsSeen = signal(false);
export const zonesSeen = signal(false);

/**
 * Plays the live stream of one monitor in one video element, as long as it is started, and says by signals how it is.
 * The sub stream takes the place of a main stream that the browser cannot play, and the other way round.
 */
export class LivePlayer {
  /** Undefined while connected. */
  readonly absence = signal<Absence | undefined>('opening');
  readonly state = signal<StateMessage | undefined>(undefined);
  readonly format = signal<StartMessage | undefined>(undefined);
  readonly unplayable = signal<Unplayable | undefined>(undefined);
  /** Whether pictures move. */
  readonly playing = signal(false);
  /** What was found in the picture on the screen, by detector. */
  readonly detections = signal<readonly DetectionsMessage[]>([]);
  readonly zones = signal<ZonesMessage['zones']>([]);
  /** Whether sound is asked for. */
  readonly hasSound = signal(false);
  /** Sound is asked for, and the camera sends none. */
  readonly isMute = signal(false);

  readonly video: HTMLVideoElement;
  readonly #monitorID: string;
  readonly #aborter = new AbortController();
  #connection: LiveConnection | undefined;
  #feed: MediaFeed | undefined;
  /** Until the first feed has it. */
  #opened: OpenedSource | undefined;
  #stream: ShownStream = 'main';
  /** The streams that this browser cannot play. */
  readonly #unplayable = new Set<ShownStream>();
  /** The sub stream has not begun in time: the main one is shown until somebody asks for another one. */
  #isSubSlow = false;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #found: DetectionsMessage[] = [];

  constructor(monitorID: string, { video, source }: OpenedVideo) {
    this.#monitorID = monitorID;
    this.video = video;
    this.#opened = source;
    const { signal } = this.#aborter;
    video.addEventListener('playing', () => this.#pictures(), { signal });
    this.#watchFrames();
  }

  /** Plays this stream; does nothing if it does so already. */
  start(stream: ShownStream): void {
    if (this.#connection && stream === this.#stream) return;
    this.#stream = stream;
    this.#isSubSlow = false;
    this.#connect();
  }

  /** Asks for sound, which only those get who listen, or for none. */
  listen(on: boolean): void {
    if (this.hasSound.value === on) return;
    this.hasSound.value = on;
    this.isMute.value = false;
    this.video.muted = !on;
    if (this.#connection) this.#connect();
  }

  /** Closes the connection: nothing is sent and nothing decoded until the next `start`. */
  stop(): void {
    clearTimeout(this.#patience);
    this.#connection?.close();
    this.#connection = undefined;
    this.#endFeed();
  }

  close(): void {
    this.#aborter.abort();
    this.stop();
    if (this.#opened) closeVideo({ video: this.video, source: this.#opened });
  }

  #connect(): void {
    clearTimeout(this.#patience);
    this.#connection?.close();
    const stream = this.#shown();
    this.#connection = new LiveConnection(
      this.#monitorID,
      { stream, sound: this.hasSound.value },
      {
        message: (message) => {
          this.absence.value = undefined;
          if (message.type === 'state') this.#change(message);
          else if (message.type === 'start') this.#begin(message);
          else if (message.type === 'gap') this.#feed?.gap();
          else if (message.type === 'zones') this.#mark(message);
          else this.#find(message);
        },
        media: (bytes) => this.#feed?.add(bytes),
        absent: (why) => {
          this.absence.value = why;
          // The last picture stays on the screen while the connection is opened again.
          if (why !== 'opening' && why !== 'lost') this.#endFeed();
        },
      },
    );
  }

  /** What is asked for, unless it does not work here and the other one may. */
  #shown(): ShownStream {
    const isAvoided = this.#unplayable.has(this.#stream) || (this.#stream === 'sub' && this.#isSubSlow);
    const other = this.#stream === 'main' ? 'sub' : 'main';
    return isAvoided && !this.#unplayable.has(other) ? other : this.#stream;
  }

  #find(message: DetectionsMessage): void {
    detectionsSeen.value = true;
    this.#found = [...this.#found, message].slice(-maxFound);
  }

  #mark({ zones }: ZonesMessage): void {
    this.zones.value = zones;
    if (zones.length > 0) zonesSeen.value = true;
  }

  #change(state: StateMessage): void {
    this.state.value = state;
    clearTimeout(this.#patience);
    if (state.state !== 'streaming') {
      this.#connection?.expectMedia(false);
      this.#endFeed();
    } else if (state.stream === 'sub' && !this.#feed && !this.#unplayable.has('main')) {
      // Where there is nothing else to show, the sub stream is waited for.
      this.#patience = setTimeout(() => {
        this.#isSubSlow = true;
        this.#connect();
      }, subPatienceMs);
    }
  }

  #begin(format: StartMessage): void {
    clearTimeout(this.#patience);
    const playable = canPlay(format.mime);
    const { stream = 'main', streams = [] } = this.state.value ?? {};
    if (!playable) {
      this.#endFeed();
      const other = stream === 'main' ? 'sub' : 'main';
      this.#unplayable.add(stream);
      if (playable === false && streams.includes(other) && !this.#unplayable.has(other)) {
        this.#connect();
        return;
      }
      this.unplayable.value = playable === undefined ? 'no media source' : { codec: codecName(format.codec) };
      this.stop();
      return;
    }
    this.#endFeed();
    this.#unplayable.delete(stream);
    batch(() => {
      this.format.value = format;
      this.unplayable.value = undefined;
      this.isMute.value = this.hasSound.value && !format.sound;
    });
    const opened = this.#opened;
    this.#opened = undefined;
    const onFailure = () => {
      this.#endFeed();
      this.#connection?.retry();
    };
    this.#feed = new MediaFeed(this.video, format, opened ? { onFailure, opened } : { onFailure });
  }

  #endFeed(): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#found = [];
    batch(() => {
      this.playing.value = false;
      this.detections.value = [];
    });
  }

  #pictures(): void {
    if (this.#feed) this.playing.value = true;
  }

  /** Shows the detections that belong to the picture on the screen. */
  #watchFrames(): void {
    // Firefox has it since version 132. Without it, no detections are shown.
    this.video.requestVideoFrameCallback?.((_, { mediaTime }) => {
      if (this.#aborter.signal.aborted) return;
      this.#pictures();
      const newest = new Map<string, DetectionsMessage>();
      for (const found of this.#found) {
        const ageS = mediaTime - found.mediaTime;
        if (ageS > -0.02 && ageS < maxDetectionAgeS) newest.set(found.source, found);
      }
      const shown = [...newest.values()];
      const before = this.detections.value;
      if (shown.length !== before.length || shown.some((one, index) => one !== before[index])) {
        this.detections.value = shown;
      }
      this.#watchFrames();
    });
  }
}

function codecName(codec: string): string {
  return { h264: 'H.264', h265: 'H.265' }[codec] ?? codec;
}
