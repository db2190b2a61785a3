import type { LiveCommand } from '../../bus/command-messages.ts';
import type { AudioConfig } from '../codecs/aac.ts';
import { LastGroup } from '../media/last-group.ts';
import type { AudioUnit, VideoUnit } from '../media/unit.ts';
import { LiveSession, type LiveSessionOptions } from './live-session.ts';

/** `begin`: the last group of pictures first, whole; `sound`: from now on as well. */
export type WantedLive = Pick<LiveCommand, 'begin' | 'sound'>;

/** One connection's pictures for viewers: nothing is made of them while nobody watches. */
export class LiveStream {
  readonly #options: Pick<LiveSessionOptions, 'clock' | 'onPacket'>;
  readonly #group = new LastGroup<VideoUnit>();
  #isWatched = false;
  #isHeard = false;
  #audio: AudioConfig | undefined;
  #session: LiveSession | undefined;

  constructor(options: Pick<LiveSessionOptions, 'clock' | 'onPacket'>) {
    this.#options = options;
  }

  push(unit: VideoUnit): void {
    // The picture that it completes was sent already; the camera's next pictures are waited for.
    if (unit.continues) return;
    this.#group.push(unit);
    if (!this.#isWatched) return;
    if (this.#session?.fits(unit)) this.#session.push(unit);
    else this.#begin();
  }

  pushAudio(unit: AudioUnit): void {
    this.setAudioConfig(unit.config);
    if (this.#isHeard) this.#session?.pushSound(unit);
  }

  /** @param config undefined when no more will come */
  setAudioConfig(config: AudioConfig | undefined): void {
    if (config === this.#audio) return;
    this.#audio = config;
    if (config) this.#session?.setAudio(config);
  }

  /** Publishes pictures until `unwatch`; may be called again. */
  watch({ begin, sound }: WantedLive): void {
    this.#isWatched = true;
    this.#isHeard ||= sound;
    if (!this.#session) this.#begin();
    else if (begin) this.#session.replay();
  }

  unwatch(): void {
    this.#isWatched = false;
    this.#isHeard = false;
    this.#session = undefined;
  }

  /** The connection has ended. */
  close(): void {
    this.#session?.end();
    this.#group.clear();
    this.unwatch();
  }

  #begin(): void {
    const { units } = this.#group;
    const audio = this.#audio;
    this.#session = units.length > 0 ? new LiveSession({ ...this.#options, units, audio }) : undefined;
  }
}
