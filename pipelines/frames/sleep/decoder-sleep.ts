import type { UnitsCommand } from '../../../bus/command-messages.ts';
import type { SleepHindrance } from '../../../bus/messages.ts';
import type { PassedPicture, UnitPacket } from '../../../bus/packets/unit-packet.ts';
import { videoTicksPerSecond } from '../../media/unit.ts';
import type { LineUnit } from '../unit-line.ts';
import { KnownPictures } from './known-pictures.ts';
import { askInTurn } from './replay-turns.ts';
import { maxGroupUs, type SleepCounts, SleepRule } from './sleep-rule.ts';
import { type FedDecoder, SleepyFeed } from './sleepy-feed.ts';
import { type FoundMotion, WithheldMotion } from './withheld-motion.ts';

/** After so many key frames, a time that went back was the camera's clock: B-frames are in each group. */
const trustedKeys = 10;

/** For motion detection. */
export interface MotionNeed {
  /** The part of the picture that must change to be motion, 0 to 1. */
  readonly leastShare: number;
  /** Whether its decoder may sleep: then a frame is made of each key frame alone. */
  readonly maySleep: boolean;
}

/** A picture as it came, and where it is on the line of time. */
export interface TakenUnit extends LineUnit {
  readonly packet: UnitPacket;
}

export interface SleepingDecoder extends FedDecoder {
  /** See `FrameDecoder`. */
  readonly isDelayed: boolean;
  readonly keysLateUs: number | undefined;
}

export interface DecoderSleepOptions {
  readonly decoder: () => SleepingDecoder | undefined;
  /**
   * Whether frames of key frames alone are as many as all need that do not look for motion.
   *
   * @param distanceUs microseconds between two of them
   */
  readonly isEnough: (distanceUs: number) => boolean;
  /** Calls `begin` when it is this decoder's turn to catch up. */
  readonly onTurn: (begin: () => void) => void;
  /** From the line of time of what is taken, in microseconds, to Unix time. */
  readonly timeOf: (mediaUs: number) => number;
  /** It may ask now for what it has slept through: `needed` has changed. */
  readonly onTurnToAsk: () => void;
  /** The decoder gets key frames alone from now on. */
  readonly onAsleep: () => void;
}

/** What was passed over, on its way. */
interface AwaitedReplay {
  /** The number of its first picture. */
  sequence: number;
  /** It was this decoder's turn to ask for it. */
  isAsked: boolean;
  end: () => void;
}

/** What of a camera's pictures is needed. */
export type NeededUnits = Pick<UnitsCommand, 'keys' | 'again'>;

/**
 * A decoder's sleep: which pictures it gets, which of them need not come over the bus, and what must come again when it wakes up.
 */
export class DecoderSleep {
  readonly #options: DecoderSleepOptions;
  readonly #feed: SleepyFeed;
  /** Whether it could sleep, where motion is looked for. */
  #rule: SleepRule | undefined;
  #leastShare: number | undefined;
  #maySleep = false;
  /** Key frames since pictures of this connection came in another order than they are shown. */
  #keysInOrder = trustedKeys;
  #newest = Number.NEGATIVE_INFINITY;
  readonly #known = new KnownPictures();
  readonly #withheld = new WithheldMotion();
  /** It wakes up when the pictures from this one on have come again. */
  #awaited: AwaitedReplay | undefined;

  constructor(options: DecoderSleepOptions) {
    this.#options = options;
    const { decoder, onTurn } = options;
    this.#feed = new SleepyFeed({
      ...{ decoder, onTurn, maySleep: () => this.#maySleep },
      onReplay: (from) => this.#noteReplay(from),
    });
  }

  /** See {@link SleepRule}; undefined where no motion is looked for. */
  get counts(): SleepCounts | undefined {
    return this.#rule?.counts;
  }

  /** The time of the newest picture that the decoder got, on its own line of time, in ticks. */
  get lastFed(): number {
    return this.#feed.lastFed;
  }

  get needed(): NeededUnits {
    const { session } = this.#known;
    if (this.#awaited?.isAsked) return { keys: null, again: { session, sequence: this.#awaited.sequence } };
    const lateUs = this.#options.decoder()?.keysLateUs;
    if (this.#feed.isAsleep && this.#rule)
      return { keys: { session, ...this.#rule.sizes, lateUs: maxGroupUs, isAsked: true }, again: null };
    if (lateUs !== undefined)
      return { keys: { session, usual: [], more: 0, lateUs, isAsked: false }, again: null };
    return { keys: null, again: null };
  }

  /** @param need undefined: no motion is looked for any more; asleep, the decoder goes on with the next key frame */
  setNeed(need: MotionNeed | undefined): void {
    const had = this.#rule !== undefined;
    if (need?.leastShare !== this.#leastShare) this.#rule = need && new SleepRule(need.leastShare);
    this.#leastShare = need?.leastShare;
    this.#maySleep = need?.maySleep === true;
    if (had && !need) this.clear();
  }

  /** From the decoder's line of time to that of the pictures, in microseconds. */
  at(mediaUs: number): number {
    return this.#feed.at(mediaUs);
  }

  /** Whether what comes again is waited for. */
  isAwaited({ session, again }: UnitPacket): boolean {
    return again && session === this.#known.session && this.#awaited?.isAsked === true;
  }

  /** Sizes of pictures that were passed over. */
  takeNotice(packet: UnitPacket): void {
    this.#sizePassed(this.#known.notice(packet), packet);
  }

  /** Pictures that came together. */
  take(taken: readonly TakenUnit[]): void {
    const [first] = taken;
    if (!first) return;
    const isRefill = this.isAwaited(first.packet);
    // The first ones of a connection are decoded up to the last, which is shown.
    const isBurst = first.follows === 'picture' && first.packet.remaining > 0;
    // What comes again was taken before.
    if (isRefill) this.#newest = Number.NEGATIVE_INFINITY;
    for (const one of taken) {
      if (one.follows !== 'picture') this.#interrupt();
      this.#order(one);
      this.#size(one.packet);
      if (!isRefill && !isBurst) this.#feed.push(one.unit, one.packet.remaining === 0);
    }
    const units = taken.map(({ unit }) => unit);
    if (isRefill) this.#refill(units);
    else if (isBurst) this.#feed.pushBurst(units);
    this.fit();
  }

  /** Where it was found between two key frames, the frames between them follow, and show when it began. */
  noteMotion(motion: FoundMotion): void {
    if (!this.#feed.isAsleep) {
      this.#rule?.noteMotion(motion.timeUs);
      motion.publish();
      return;
    }
    this.#withheld.hold(motion);
    // While it is waiting for its turn, it may have to begin sooner.
    if (this.#awaited === undefined) this.#rule?.wakeByKeyFrames(motion.timeUs);
    this.#wakeFrom(this.#known.at(motion.sinceUs)?.sequence);
  }

  /** A frame was made of a picture of this time, and has been looked at. */
  noteFrame(timeUs: number): void {
    this.#withheld.show(timeUs);
  }

  /** To be called when what is needed has changed. */
  fit(): void {
    if (this.#awaited !== undefined) return;
    this.#rule?.hinder(this.#hindrance());
    const wasAsleep = this.#feed.isAsleep;
    if (this.#maySleep && this.#rule?.isAsleep) this.#feed.sleep();
    else this.#feed.wake('group');
    if (this.#feed.isAsleep && !wasAsleep) this.#options.onAsleep();
  }

  /** Pictures are missing, or the decoder is another one. */
  clear(): void {
    this.#stopAwaiting();
    this.#feed.clear();
    this.#withheld.release();
  }

  /** A decoder that shows a picture only when it has got later ones would show a key frame a whole group late. */
  #hindrance(): SleepHindrance | null {
    if (this.#keysInOrder < trustedKeys || this.#options.decoder()?.isDelayed) return 'delay';
    const distanceUs = this.#rule?.groupUs;
    return distanceUs !== undefined && !this.#options.isEnough(distanceUs) ? 'frames' : null;
  }

  #interrupt(): void {
    this.#rule?.interrupt();
    this.#known.clear();
    this.clear();
  }

  #refill(units: readonly LineUnit['unit'][]): void {
    // The decoder has had the last key frame: it goes on from there.
    const from = this.#awaited?.sequence === this.#known.last?.sequence ? 'group' : 'before';
    this.#stopAwaiting();
    this.#feed.refill(units);
    this.#feed.wake(from);
  }

  #order({ follows, unit }: LineUnit): void {
    if (follows === 'connection') this.#keysInOrder = trustedKeys;
    else if (unit.time < this.#newest) this.#keysInOrder = 0;
    else if (unit.keyFrame) this.#keysInOrder += 1;
    this.#newest = unit.time;
  }

  #size(packet: UnitPacket): void {
    const passed = this.#known.take(packet);
    if (!passed) return;
    this.#sizePassed(passed, packet);
    if (!packet.continues) this.#rule?.push({ ...packet, bytes: packet.data.length });
    this.#known.push(packet);
  }

  #sizePassed(passed: readonly PassedPicture[], { width, height }: UnitPacket): void {
    for (const size of passed) this.#rule?.push({ ...size, keyFrame: false, width, height });
    // What moved did so after the last key frame that was taken.
    if (passed.length > 0 && this.#feed.isAsleep && this.#rule?.isAsleep === false)
      this.#wakeFrom(this.#known.last?.sequence);
  }

  #noteReplay(from: number | undefined): void {
    const at = (ticks: number) => this.#options.timeOf((ticks * 1e6) / videoTicksPerSecond);
    this.#withheld.replay(from === undefined ? Number.POSITIVE_INFINITY : at(from));
  }

  #wakeFrom(sequence: number | undefined): void {
    const awaited = this.#awaited;
    if (sequence === undefined) this.#feed.wake('before');
    else if (awaited) {
      if (!awaited.isAsked) awaited.sequence = Math.min(awaited.sequence, sequence);
    } else this.#await(sequence);
  }

  #await(sequence: number): void {
    const awaited: AwaitedReplay = { sequence, isAsked: false, end: () => {} };
    this.#awaited = awaited;
    awaited.end = askInTurn(this.#known.bytesFrom(sequence), () => {
      awaited.isAsked = true;
      this.#options.onTurnToAsk();
    });
  }

  #stopAwaiting(): void {
    this.#awaited?.end();
    this.#awaited = undefined;
  }
}
