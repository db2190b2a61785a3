import { MediaClock } from './media-clock.ts';

/** A camera's times did not go on as time did. */
export interface TimeJump {
  /** By how much its clock went ahead, or back if negative. */
  readonly seconds: number;
  /** `picture`: one picture was stamped wrongly, and the next one was right again. */
  readonly what: 'clock' | 'picture';
}

/** Steps up to this are no jump, whatever the rate of pictures is. */
const minJumpSeconds = 1;
/** Steps back up to this are jitter in a camera's stamps. They are evened out, and not worth an entry. */
const maxJitterSeconds = 0.5;
/** So many pictures may be sent before one that is shown earlier. */
const maxReorder = 8;
/** A line that has come to be as far from the arrivals follows a clock of another speed. */
const maxDriftSeconds = 10;
const rememberedSteps = 16;

/**
 * Turns the timestamps of a track into media times that never leave the time of arrival by much, whatever the
 * timestamps do: a camera that begins anew, a clock that is set, a picture that is stamped an hour ahead.
 *
 * As long as the stamps go on as time does, their distances are kept exactly. So are those of stamps that always go on faster,
 * or up to a sixth slower: these times leave the arrivals in the end, and {@link WallClock} leads back.
 */
export class TimeLine {
  readonly #ticksPerSecond: number;
  readonly #onJump: (jump: TimeJump) => void;
  /** Which arrival was least late; here both times are in microseconds. */
  readonly #arrivals = new MediaClock();
  /** Media time minus timestamp, in ticks. */
  #shift: number | undefined;
  #newest = 0;
  #steps: number[] = [];
  /** The last picture was not where it should have been. */
  #suspect: { readonly shift: number; readonly newest: number; readonly seconds: number } | undefined;

  constructor(ticksPerSecond: number, onJump: (jump: TimeJump) => void) {
    this.#ticksPerSecond = ticksPerSecond;
    this.#onJump = onJump;
  }

  /** The media time of a timestamp, without counting it as an arrival. */
  at(timestamp: number): number {
    return timestamp + (this.#shift ?? 0);
  }

  /** @returns the media time of a timestamp in microseconds; undefined before anything was placed */
  mediaUs(timestamp: number): number | undefined {
    return this.#shift === undefined ? undefined : ((timestamp + this.#shift) * 1e6) / this.#ticksPerSecond;
  }

  /**
   * @param arrivedMs of a clock that is never set
   * @param bidirectional whether the picture may be shown before one that was sent before it
   * @returns the media time in ticks since `arrivedMs` was 0, about. It grows from one picture to the next, except
   * for the sake of the order of bidirectional ones.
   */
  place(timestamp: number, arrivedMs: number, bidirectional = false): number {
    const arrived = (arrivedMs / 1000) * this.#ticksPerSecond;
    if (this.#shift === undefined) {
      this.#shift = arrived - timestamp;
      this.#newest = arrived;
      this.#observe(arrived, arrivedMs);
      return Math.round(arrived);
    }
    this.#settle(timestamp, arrived, bidirectional);
    const media = timestamp + this.#shift;
    if (this.#fits(media, arrived, bidirectional)) {
      this.#remember(media - this.#newest);
      this.#newest = Math.max(this.#newest, media);
      this.#observe(media, arrivedMs);
      return Math.round(media);
    }
    return this.#replace(timestamp, media, arrivedMs);
  }

  /** Decides what the last misfit was, now that there is a picture after it. */
  #settle(timestamp: number, arrived: number, bidirectional: boolean): void {
    const suspect = this.#suspect;
    if (!suspect) return;
    this.#suspect = undefined;
    const before = timestamp + suspect.shift;
    const isBack = this.#fits(before, arrived, bidirectional, suspect.newest);
    if (isBack) this.#shift = suspect.shift + Math.max(0, this.#newest + this.#tick - before);
    this.#onJump({ seconds: suspect.seconds, what: isBack ? 'picture' : 'clock' });
  }

  #fits(media: number, arrived: number, bidirectional: boolean, newest = this.#newest): boolean {
    const step = media - newest;
    const second = this.#ticksPerSecond;
    if (step <= 0)
      return bidirectional && step < 0 && -step <= Math.max(maxReorder * this.#period, this.#tick);
    const expected = this.#expected(arrived);
    const isAhead = step > second && step > 1.5 * this.#period && media > expected + minJumpSeconds * second;
    const drift = media - expected;
    return !isAhead && drift > -maxDriftSeconds * second && drift < maxDriftSeconds * second;
  }

  /** Gives a picture that does not fit the time of its arrival, and lets the line go on from there. */
  #replace(timestamp: number, media: number, arrivedMs: number): number {
    const arrived = (arrivedMs / 1000) * this.#ticksPerSecond;
    const shift = this.#shift ?? 0;
    const step = media - this.#newest;
    const newest = this.#newest;
    const place = Math.round(Math.max(newest + this.#tick, this.#expected(arrived)));
    const seconds = (media - place) / this.#ticksPerSecond;
    if (Math.abs(seconds) > minJumpSeconds || step < -maxJitterSeconds * this.#ticksPerSecond) {
      this.#suspect = { shift, newest, seconds };
    }
    this.#shift = place - timestamp;
    this.#newest = place;
    this.#observe(place, arrivedMs);
    return place;
  }

  /** The media time of what arrives now and was not held up. */
  #expected(arrived: number): number {
    const perTick = 1e6 / this.#ticksPerSecond;
    // `at` gives the arrival of a media time.
    return arrived - this.#arrivals.at(0) / perTick;
  }

  #observe(media: number, arrivedMs: number): void {
    this.#arrivals.observe((media * 1e6) / this.#ticksPerSecond, arrivedMs * 1000);
  }

  #remember(step: number): void {
    this.#steps.push(Math.abs(step));
    if (this.#steps.length > rememberedSteps) this.#steps.shift();
  }

  /** The usual distance of two pictures. */
  get #period(): number {
    if (this.#steps.length === 0) return this.#ticksPerSecond;
    return [...this.#steps].sort((a, b) => a - b)[this.#steps.length >> 1] ?? 0;
  }

  /** Two pictures are at least a millisecond apart. */
  get #tick(): number {
    return Math.max(1, Math.round(this.#ticksPerSecond / 1000));
  }
}
