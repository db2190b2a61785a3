import { endByKill } from '../../../bus/children/process-end.ts';
import type { FramesCommand } from '../../../bus/command-messages.ts';
import { highestRate, toleranceUs } from '../../../bus/frame-rate-limit.ts';
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
import {
  DecoderSleep,
  type MotionNeed,
  type NeededUnits,
} from '../../../pipelines/frames/sleep/decoder-sleep.ts';
import type { SleepCounts } from '../../../pipelines/frames/sleep/sleep-rule.ts';
import type { FoundMotion } from '../../../pipelines/frames/sleep/withheld-motion.ts';
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
  /** Something moves: it is published now or later, or never if the frames since the one before follow and show it again. */
  noteMotion(motion: FoundMotion): void;
  end(): void;
}

interface Holder {
  readonly need: FramesCommand;
  readonly onFrame: (frame: Frame) => void;
  readonly lease: FrameLease;
  readonly motion: MotionNeed | undefined;
}

/** What is usual changes all the time, and is said with each renewal. */
const kindOf = ({ keys, again }: NeededUnits) => (keys ? 'keys' : again ? `again ${again.sequence}` : 'all');

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
  readonly #sleep: DecoderSleep;
  /** What of the camera's pictures was asked for last. */
  #asked = '';

  constructor(options: DecodedStreamOptions) {
    this.#options = options;
    this.#sleep = new DecoderSleep({
      decoder: () => this.#decoder,
      isEnough: (distanceUs) => this.#isEnough(distanceUs),
      timeOf: (mediaUs) => this.#line.at(mediaUs),
      onTurn: (begin) => void catchUp(begin, () => this.#hasCaughtUp()),
      onTurnToAsk: () => this.#askForChange(),
      onAsleep: options.onAsleep,
    });
  }

  get monitorID(): string {
    return this.#options.monitorID;
  }

  get isHeld(): boolean {
    return this.#holders.size > 0;
  }

  /** See {@link SleepRule}; undefined where no motion is looked for. */
  get sleepCounts(): SleepCounts | undefined {
    return this.#sleep.counts;
  }

  /** @param onFrame gets every frame of this format that is made, for whomever it is; it must return quickly */
  open(need: FramesCommand, onFrame: (frame: Frame) => void, motion?: MotionNeed): HeldFrames {
    const lease = new FrameLease(leases.frames.expireMs, () => this.#setWanted());
    const holder = { need, onFrame, lease, motion };
    this.#holders.add(holder);
    this.#sleep.setNeed(this.#motionNeed());
    this.#fit();
    return {
      renew: () => {
        if (!this.#holders.has(holder)) return;
        lease.renew();
        void this.#ask();
      },
      noteMotion: (motion) => this.#noteMotion(motion),
      end: () => {
        this.#holders.delete(holder);
        this.#sleep.setNeed(this.#motionNeed());
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
    this.#unsubscribe ??= bus.subscribeUnits(unitSubject(monitorID, stream), (packets) =>
      this.#take(packets),
    );
    const { needed } = this.#sleep;
    this.#asked = kindOf(needed);
    const wanted = { begin: !this.#hasBegun, rates: this.#heldRates(), ...needed, trouble: this.#trouble };
    bus.publish(commands.units, [monitorID], { stream, ...wanted });
  }

  /** Where others of the camera's pictures are needed than before. */
  #askForChange(): void {
    const kind = kindOf(this.#sleep.needed);
    if (!this.#hasBegun || this.#asked === kind) return;
    this.#asked = kind;
    void this.#ask();
  }

  #take(packets: readonly UnitPacket[]): void {
    const [first] = packets;
    if (!first || this.#rates.length === 0) return;
    if (first.isNotice) {
      this.#sleep.takeNotice(first);
      this.#askForChange();
      return;
    }
    if (this.#sleep.isAwaited(first)) this.#line.rewind(first);
    const taken = packets.flatMap((packet) => {
      const one = this.#line.take(packet);
      return one ? [{ ...one, packet }] : [];
    });
    if (taken.length === 0) return;
    this.#decoder ??= this.#newDecoder();
    this.#hasBegun = true;
    for (const { follows } of taken) {
      if (follows === 'connection') this.#decoder?.restart();
      if (follows === 'gap') this.#decoder?.interrupt();
    }
    this.#sleep.take(taken);
    this.#askForChange();
  }

  #noteMotion(motion: FoundMotion): void {
    this.#sleep.noteMotion(motion);
    this.#askForChange();
  }

  /** All but the last frame that may be under way is as good as all. */
  #hasCaughtUp(): boolean {
    const highest = highestRate(this.#rates.map(([, rate]) => rate));
    const lastFrame = Math.max(1 / 4, highest > 0 ? 1 / highest : 0) * videoTicksPerSecond;
    return (this.#decoder?.shownTime ?? Number.POSITIVE_INFINITY) >= this.#sleep.lastFed - lastFrame;
  }

  #newDecoder(): FrameDecoder | undefined {
    const decoder =
      this.#Decoder &&
      new this.#Decoder({
        rates: this.#rates,
        clock: { at: (mediaUs) => this.#line.at(this.#sleep.at(mediaUs)) },
        onFrame: (frame) => this.#deliver(frame),
        onFailure: (detail) => this.#fail(detail),
      });
    decoder?.setWanted(this.#held());
    return decoder;
  }

  /** Another decoder is made where other frames are needed: it begins with the last key frame, which is asked for. */
  #fit(): void {
    this.#sleep.fit();
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

  /** Of all who look for motion. */
  #motionNeed(): MotionNeed | undefined {
    const needs = [...this.#holders].flatMap(({ motion }) => motion ?? []);
    if (needs.length === 0) return undefined;
    const leastShare = Math.min(...needs.map((need) => need.leastShare));
    return { leastShare, maySleep: needs.every(({ maySleep }) => maySleep) };
  }

  #isEnough(distanceUs: number): boolean {
    return [...this.#holders].every(({ need, lease, motion }) => {
      const periodUs = need.rate > 0 ? 1e6 / need.rate : 0;
      return motion || !lease.held || distanceUs <= periodUs + toleranceUs(periodUs);
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
    this.#sleep.fit();
    if (held.size === 0) this.#leave();
    else this.#askForChange();
  }

  /** No picture comes until somebody needs frames again. */
  #leave(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#decoder?.interrupt();
    this.#sleep.clear();
    this.#hasBegun = false;
  }

  #closeDecoder(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#line.forget();
    this.#sleep.clear();
    this.#hasBegun = false;
  }

  #deliver(frame: Frame): void {
    this.#trouble = null;
    for (const { need, onFrame, motion } of this.#holders) {
      if (need.format !== frame.format) continue;
      onFrame(frame);
      if (motion) this.#sleep.noteFrame(frame.timeUs);
    }
  }

  #fail(detail: string): void {
    this.#trouble = `frames cannot be decoded: ${detail}`;
    this.#options.onFailure(this.#trouble);
  }
}
