import { endByKill } from '../../../bus/children/process-end.ts';
import type { FramesCommand } from '../../../bus/command-messages.ts';
import { highestRate } from '../../../bus/frame-rate-limit.ts';
import type { Frame } from '../../../bus/frames.ts';
import { leases } from '../../../bus/leases.ts';
import { type FrameFormat, frameFormats } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import type { UnitPacket } from '../../../bus/packets/unit-packet.ts';
import type { RecordedStream } from '../../../bus/recording-id.ts';
import { commands, unitSubject } from '../../../bus/subjects.ts';
import type { FrameDecoder } from '../../../pipelines/frames/frame-decoder.ts';
import { FrameLease } from '../../../pipelines/frames/frame-lease.ts';
import { catchUp } from '../../../pipelines/frames/sleep/catch-up.ts';
import { type SleepCounts, SleepRule } from '../../../pipelines/frames/sleep/sleep-rule.ts';
import { SleepyFeed } from '../../../pipelines/frames/sleep/sleepy-feed.ts';
import { UnitLine } from '../../../pipelines/frames/unit-line.ts';
import type { FrameRates } from '../../../pipelines/gstreamer/pipeline-description.ts';
import { videoTicksPerSecond } from '../../../pipelines/media/unit.ts';

export interface DecodedStreamOptions {
  readonly bus: Bus;
  readonly monitorID: string;
  readonly stream: RecordedStream;
  /** Gets why nothing can be decoded, as a sentence for people. */
  readonly onFailure: (text: string) => void;
  /** Its decoder gets key frames alone from now on. */
  readonly onAsleep: () => void;
}

/** Somebody's frames of a stream. */
export interface HeldFrames {
  /** Frames come for as long as the lease of frames lasts after this. */
  renew(): void;
  /**
   * Something moves.
   *
   * @param timeUs capture time of the frame that shows it: Unix time in microseconds
   * @returns whether the frames since the one before follow, so that it will be seen again
   */
  noteMotion(timeUs: number): boolean;
  end(): void;
}

/** For motion detection. */
export interface MotionNeed {
  /** The part of the picture that must change to be motion, 0 to 1. */
  readonly leastShare: number;
  /** Whether its decoder may sleep: then a frame is made of each key frame alone. */
  readonly maySleep: boolean;
}

interface Holder {
  readonly need: FramesCommand;
  readonly onFrame: (frame: Frame) => void;
  readonly lease: FrameLease;
}

/** Where nothing is detected, GStreamer is not loaded. */
async function loadDecoder(): Promise<typeof FrameDecoder> {
  endByKill();
  const { FrameDecoder } = await import('../../../pipelines/frames/frame-decoder.ts');
  return FrameDecoder;
}

/**
 * One stream of one monitor: its encoded pictures come over the bus while somebody needs frames of it, and are decoded once
 * for all. The decoder outlives the connections to the camera.
 */
export class DecodedStream {
  readonly #options: DecodedStreamOptions;
  readonly #holders = new Set<Holder>();
  readonly #line = new UnitLine();
  /** Frames per second, by format. */
  #rates: FrameRates = [];
  #decoder: FrameDecoder | undefined;
  #Decoder: typeof FrameDecoder | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Whether pictures have come since they were last asked for anew. */
  #hasBegun = false;
  #trouble: string | null = null;
  /** Whether it could sleep, where motion is looked for. */
  #sleep: SleepRule | undefined;
  #maySleep = false;
  readonly #feed = new SleepyFeed({
    decoder: () => this.#decoder,
    maySleep: () => this.#maySleep,
    onTurn: (begin) => void catchUp(begin, () => this.#hasCaughtUp()),
  });

  constructor(options: DecodedStreamOptions) {
    this.#options = options;
  }

  get monitorID(): string {
    return this.#options.monitorID;
  }

  get isHeld(): boolean {
    return this.#holders.size > 0;
  }

  /** See {@link SleepRule}; undefined where no motion is looked for. */
  get sleepCounts(): SleepCounts | undefined {
    return this.#sleep?.counts;
  }

  /** @param onFrame gets every frame of this format that is made, for whomever it is; it must return quickly */
  open(need: FramesCommand, onFrame: (frame: Frame) => void, motion?: MotionNeed): HeldFrames {
    if (motion) this.#sleep = new SleepRule(motion.leastShare);
    if (motion) this.#maySleep = motion.maySleep;
    const lease = new FrameLease(leases.frames.expireMs, () => this.#setWanted());
    const holder = { need, onFrame, lease };
    this.#holders.add(holder);
    this.#fit();
    return {
      renew: () => {
        if (!this.#holders.has(holder)) return;
        lease.renew();
        void this.#ask();
      },
      noteMotion: (timeUs) => this.#noteMotion(timeUs),
      end: () => {
        if (motion) this.#sleep = undefined;
        if (motion) this.#forbidSleep();
        this.#holders.delete(holder);
        lease.end();
        if (!this.isHeld) this.#leave();
        this.#fit();
      },
    };
  }

  async #ask(): Promise<void> {
    this.#Decoder = await loadDecoder();
    if (!this.isHeld) return;
    const { bus, monitorID, stream } = this.#options;
    this.#unsubscribe ??= bus.subscribeUnits(unitSubject(monitorID, stream), (packet) => this.#take(packet));
    const wanted = { begin: !this.#hasBegun, rates: this.#heldRates(), trouble: this.#trouble };
    bus.publish(commands.units, [monitorID], { stream, ...wanted });
  }

  #take(packet: UnitPacket): void {
    const taken = this.#line.take(packet);
    if (!taken || this.#rates.length === 0) return;
    this.#decoder ??= this.#newDecoder();
    this.#hasBegun = true;
    if (taken.follows === 'connection') this.#decoder?.restart();
    if (taken.follows === 'gap') this.#decoder?.interrupt();
    if (taken.follows !== 'picture') {
      this.#sleep?.interrupt();
      this.#feed.clear();
    }
    this.#feed.push(taken.unit, packet.remaining === 0);
    if (!packet.continues) this.#sleep?.push({ ...packet, bytes: packet.data.length });
    this.#fitSleep();
  }

  /**
   * While others need frames too, it decodes them all. One that shows a picture only when it has got later ones must not sleep:
   * a key frame would be shown a whole group late.
   */
  #fitSleep(): void {
    const isAlone = this.#holders.size === 1 && !this.#decoder?.isDelayed;
    const isAsleep = this.#sleep?.isAsleep === true && this.#maySleep && isAlone;
    const wasAsleep = this.#feed.isAsleep;
    if (isAsleep) this.#feed.sleep();
    else this.#feed.wake('group');
    if (this.#feed.isAsleep && !wasAsleep) this.#options.onAsleep();
  }

  /** Asleep, it goes on with the next key frame. */
  #forbidSleep(): void {
    this.#maySleep = false;
    this.#feed.clear();
  }

  #noteMotion(timeUs: number): boolean {
    if (!this.#feed.isAsleep) {
      this.#sleep?.noteMotion(timeUs);
      return false;
    }
    this.#sleep?.wakeByKeyFrames(timeUs);
    this.#feed.wake('before');
    return true;
  }

  /** All but the last frame that may be under way is as good as all. */
  #hasCaughtUp(): boolean {
    const highest = highestRate(this.#rates.map(([, rate]) => rate));
    const lastFrame = Math.max(1 / 4, highest > 0 ? 1 / highest : 0) * videoTicksPerSecond;
    return (this.#decoder?.shownTime ?? Number.POSITIVE_INFINITY) >= this.#feed.lastFed - lastFrame;
  }

  #newDecoder(): FrameDecoder | undefined {
    const decoder =
      this.#Decoder &&
      new this.#Decoder({
        rates: this.#rates,
        clock: { at: (mediaUs) => this.#line.at(this.#feed.at(mediaUs)) },
        onFrame: (frame) => this.#deliver(frame),
        onFailure: (detail) => this.#fail(detail),
      });
    decoder?.setWanted(this.#held());
    return decoder;
  }

  /** Another decoder is made where other frames are needed: it begins with the last key frame, which is asked for. */
  #fit(): void {
    const rates = this.#neededRates();
    if (JSON.stringify(rates) === JSON.stringify(this.#rates)) return;
    this.#rates = rates;
    const had = this.#decoder !== undefined;
    this.#closeDecoder();
    if (had && this.#held().size > 0) void this.#ask();
  }

  /** The highest rate that anybody needs, by format. */
  #neededRates(): FrameRates {
    const needs = [...this.#holders].map(({ need }) => need);
    return frameFormats.flatMap((format) => {
      const rates = needs.filter((need) => need.format === format).map(({ rate }) => rate);
      return rates.length === 0 ? [] : [[format, highestRate(rates)] as const];
    });
  }

  #held(): ReadonlySet<FrameFormat> {
    return new Set([...this.#holders].filter(({ lease }) => lease.held).map(({ need }) => need.format));
  }

  /** Frames per second that are made now; 0 where a picture must not wait for another. */
  #heldRates(): number[] {
    if (this.#decoder?.isDelayed) return [0];
    const held = this.#held();
    return this.#rates.filter(([format]) => held.has(format)).map(([, rate]) => rate);
  }

  #setWanted(): void {
    const held = this.#held();
    this.#decoder?.setWanted(held);
    if (held.size === 0) this.#leave();
  }

  /** No picture comes until somebody needs frames again. */
  #leave(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#decoder?.interrupt();
    this.#feed.clear();
    this.#hasBegun = false;
  }

  #closeDecoder(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#line.forget();
    this.#feed.clear();
    this.#hasBegun = false;
  }

  #deliver(frame: Frame): void {
    this.#trouble = null;
    for (const { need, onFrame } of this.#holders) if (need.format === frame.format) onFrame(frame);
  }

  #fail(detail: string): void {
    this.#trouble = `frames cannot be decoded: ${detail}`;
    this.#options.onFailure(this.#trouble);
  }
}
