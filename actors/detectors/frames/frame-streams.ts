import type { FramesCommand } from '../../../bus/command-messages.ts';
import { highestRate } from '../../../bus/frame-rate-limit.ts';
import type { Frame } from '../../../bus/frames.ts';
import { leases } from '../../../bus/leases.ts';
import type { Log } from '../../../bus/log.ts';
import type { SleepAnswer } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { commands, frameSubject, questions } from '../../../bus/subjects.ts';
import { FrameLease } from '../../../pipelines/frames/frame-lease.ts';
import type { MotionNeed } from '../../../pipelines/frames/sleep/decoder-sleep.ts';
import { DecodedStream, type HeldFrames } from './decoded-stream.ts';

/** Frames for somebody of the bus. */
interface Published {
  readonly need: FramesCommand;
  readonly held: HeldFrames;
  readonly lease: FrameLease;
}

/** The frames of all monitors: decoded here, given to detectors by reference, and published for whoever asks the bus. */
export class FrameStreams {
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #streams = new Map<string, DecodedStream>();
  /** One of each subject: somebody else who asks for the same gets the same. */
  readonly #published = new Map<string, Published>();

  /** @param bus a connection for pictures and frames alone */
  constructor(bus: Bus, log: Log) {
    this.#bus = bus;
    this.#log = log;
    bus.answer(questions.sleep, async () => ({ monitors: this.#sleepCounts() }));
    bus.respond(commands.frames, ['*'], (need, [, monitorID = '']) => this.#publish(monitorID, need));
  }

  /** @param onFrame see {@link DecodedStream.open} */
  open(
    monitorID: string,
    need: FramesCommand,
    onFrame: (frame: Frame) => void,
    motion?: MotionNeed,
  ): HeldFrames {
    const key = `${monitorID} ${need.stream}`;
    const stream = this.#streams.get(key) ?? this.#newStream(monitorID, need);
    this.#streams.set(key, stream);
    const held = stream.open(need, onFrame, motion);
    return {
      renew: () => held.renew(),
      noteMotion: (motion) => held.noteMotion(motion),
      end: () => {
        held.end();
        if (!stream.isHeld && this.#streams.get(key) === stream) this.#streams.delete(key);
      },
    };
  }

  #sleepCounts(): SleepAnswer['monitors'] {
    return [...this.#streams.values()].flatMap(({ monitorID, sleepCounts }) =>
      sleepCounts ? [{ monitorID, ...sleepCounts }] : [],
    );
  }

  #newStream(monitorID: string, { stream }: FramesCommand): DecodedStream {
    const onFailure = (text: string) =>
      this.#log.error(stream === 'sub' ? `sub stream: ${text}` : text, monitorID);
    const onAsleep = () => this.#log.debug('nothing moves: its decoder sleeps', monitorID);
    return new DecodedStream({ bus: this.#bus, monitorID, stream, onFailure, onAsleep });
  }

  /** @throws if frames of the other stream are published on the subject. */
  #publish(monitorID: string, need: FramesCommand): void {
    const key = frameSubject(monitorID, need.format);
    const before = this.#published.get(key);
    if (before && before.need.stream !== need.stream)
      throw new Error(`its ${need.format} frames are published of its ${before.need.stream} stream`);
    const isEnough = before && highestRate([before.need.rate, need.rate]) === before.need.rate;
    if (!isEnough) before?.lease.end();
    const published = isEnough ? before : this.#begin(key, monitorID, need);
    published.lease.renew();
    published.held.renew();
  }

  #begin(key: string, monitorID: string, need: FramesCommand): Published {
    const held = this.open(monitorID, need, (frame) => this.#bus.publishFrame(monitorID, frame));
    const lease = new FrameLease(leases.frames.expireMs, (isHeld) => {
      if (isHeld) return;
      held.end();
      this.#published.delete(key);
    });
    const published = { need, held, lease };
    this.#published.set(key, published);
    return published;
  }
}
