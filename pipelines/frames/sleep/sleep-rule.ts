import type { SleepHindrance } from '../../../bus/messages.ts';
import { maxReplayBytes } from './replay-turns.ts';
import { SizeGate } from './size-gate.ts';

export interface SizedPicture {
  readonly keyFrame: boolean;
  readonly bytes: number;
  /** When it was taken: Unix time in microseconds. */
  readonly timeUs: number;
  readonly width: number;
  readonly height: number;
}

export interface SleepCounts {
  readonly isAsleep: boolean;
  /** Why it may not sleep; null while it may, or too little is known. */
  readonly refused: SleepHindrance | null;
  readonly asleepUs: number;
  readonly wakes: number;
  /** Motion that was found, and that the sizes did not show. */
  readonly missed: number;
}

/** After so long without motion, a camera may sleep. */
const quietUs = 5_000_000;
/** So long after motion, pictures are not yet taken for quiet ones. */
const afterUs = 1_000_000;
/** Motion between two key frames is found at the second: groups must be short. */
export const maxGroupUs = 4_200_000;
/** The sizes of its pictures have been wrong. */
const afterMissUs = 24 * 60 * 60 * 1_000_000;
/** Motion that begins just before a key frame shows in so many pictures after it. */
const auditUs = 500_000;
/** So often, in pictures, it is checked whether the camera has become noisy. */
const noiseEvery = 150;
/** What was shown on clips: where only more counts as motion, the gate is as strict. */
const maxShare = 0.003;
/** What is usual may have changed since somebody else was told. */
const almost = 0.9;
/** A longer time between two pictures is no sleep. */
const maxGapUs = 1_000_000;

/**
 * Decides by the sizes of a camera's P-frames whether its decoder may sleep, in which only key frames are decoded, and when it
 * must wake up. It sees no picture: sizes in, decisions out.
 */
export class SleepRule {
  readonly #leastShare: number;
  #gate: SizeGate | undefined;
  #size = '';
  #lastUs: number | undefined;
  #keyUs: number | undefined;
  #groupUs: number | undefined;
  /** Of the present group and of the last two whole ones, in bytes. */
  #bytes = 0;
  #groupBytes: readonly number[] = [];
  /** What others than the sizes say. */
  #hindrance: SleepHindrance | null = null;
  #motionUs: number | undefined;
  #isAsleep = false;
  /** Motion was found in this group, and its sizes have not shown it yet. */
  #isUnshown = false;
  /** The key frames have shown motion, and the sizes still may. */
  #auditUntilUs: number | undefined;
  #awakeUntilUs = 0;
  #pictures = 0;
  #asleepUs = 0;
  #wakes = 0;
  #missed = 0;

  /** @param leastShare the part of the picture that must move to count, 0 to 1 */
  constructor(leastShare: number) {
    this.#leastShare = Math.min(leastShare, maxShare);
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  get counts(): SleepCounts {
    return {
      isAsleep: this.#isAsleep,
      refused: this.#refusal(),
      ...{ asleepUs: this.#asleepUs, wakes: this.#wakes, missed: this.#missed },
    };
  }

  /** Bytes of pictures by their place after the key frame; it may wake up where three in a row have so many more on average. */
  get sizes(): { readonly usual: number[]; readonly more: number } {
    return { usual: this.#gate?.usual ?? [], more: (this.#gate?.least ?? 0) * almost };
  }

  /** Microseconds between the last two key frames. */
  get groupUs(): number | undefined {
    return this.#groupUs;
  }

  /** @param hindrance why it may not sleep whatever the sizes are; null: it may */
  hinder(hindrance: SleepHindrance | null): void {
    this.#hindrance = hindrance;
    if (hindrance) this.#isAsleep = false;
  }

  /** Called with each picture, in order. */
  push({ keyFrame, bytes, timeUs, width, height }: SizedPicture): void {
    const size = `${width}×${height}`;
    if (size !== this.#size) this.#begin(size, new SizeGate({ width, height }, this.#leastShare));
    this.#motionUs ??= timeUs;
    const sinceUs = timeUs - (this.#lastUs ?? timeUs);
    if (this.#isAsleep && sinceUs > 0 && sinceUs <= maxGapUs) this.#asleepUs += sinceUs;
    this.#lastUs = timeUs;
    this.#pictures += 1;
    if (keyFrame) this.#beginGroup(timeUs);
    this.#bytes += bytes;
    const isQuiet = this.#isAsleep || timeUs - this.#motionUs > afterUs;
    const isAudited = this.#auditUntilUs !== undefined;
    this.#gate?.push({ keyFrame, bytes }, isQuiet ? 'learn' : isAudited ? 'compare' : 'skip');
    this.#audit(timeUs);
    if (this.#isAsleep) this.#mayWake(timeUs);
    else if (this.#maySleep(timeUs)) this.#isAsleep = true;
  }

  /** Motion was found in a decoded picture. */
  noteMotion(timeUs: number): void {
    this.#motionUs = Math.max(this.#motionUs ?? timeUs, timeUs);
    if (this.#isAsleep) this.#isUnshown = true;
  }

  /** The same, found while asleep between the last two key frames: wakes it up. */
  wakeByKeyFrames(timeUs: number): void {
    this.#wake(timeUs);
    this.#auditUntilUs = (this.#lastUs ?? timeUs) + auditUs;
  }

  /** Pictures were lost, or another connection begins. */
  interrupt(): void {
    this.#gate?.interrupt();
    this.#isAsleep = false;
    this.#isUnshown = false;
    this.#auditUntilUs = undefined;
    this.#keyUs = undefined;
    this.#groupUs = undefined;
    this.#groupBytes = [];
    this.#motionUs = undefined;
  }

  #begin(size: string, gate: SizeGate): void {
    this.interrupt();
    this.#size = size;
    this.#gate = gate;
  }

  #beginGroup(timeUs: number): void {
    if (this.#keyUs !== undefined) this.#groupUs = timeUs - this.#keyUs;
    this.#keyUs = timeUs;
    this.#groupBytes = [...this.#groupBytes, this.#bytes].slice(-2);
    this.#bytes = 0;
    if (!this.#isUnshown) return;
    this.#wake(timeUs);
    this.#auditUntilUs = timeUs + auditUs;
  }

  #audit(timeUs: number): void {
    if (this.#auditUntilUs === undefined) return;
    const isMissed = timeUs > this.#auditUntilUs;
    if (!isMissed && !this.#gate?.isRaised) return;
    this.#auditUntilUs = undefined;
    if (!isMissed) return;
    this.#missed += 1;
    this.#awakeUntilUs = timeUs + afterMissUs;
  }

  #maySleep(timeUs: number): boolean {
    const isQuiet = timeUs - (this.#motionUs ?? timeUs) >= quietUs;
    const isKnown = this.#groupUs !== undefined && this.#gate?.isOpen !== undefined;
    return isQuiet && isKnown && this.#refusal() === null;
  }

  #refusal(): SleepHindrance | null {
    const timeUs = this.#lastUs ?? 0;
    if (this.#hindrance) return this.#hindrance;
    if (timeUs < this.#awakeUntilUs) return 'miss';
    if ((this.#groupUs ?? 0) > maxGroupUs || this.#isKeyLate(timeUs)) return 'groups';
    if (this.#groupBytes.reduce((sum, bytes) => sum + bytes, 0) > maxReplayBytes) return 'size';
    return this.#gate?.isOpen === false ? 'noise' : null;
  }

  #isKeyLate(timeUs: number): boolean {
    return timeUs - (this.#keyUs ?? timeUs) > maxGroupUs;
  }

  #mayWake(timeUs: number): void {
    const isNoisy = this.#pictures % noiseEvery === 0 && this.#gate?.isNoisy === true;
    if (this.#gate?.isRaised || isNoisy || this.#isKeyLate(timeUs)) this.#wake(timeUs);
  }

  #wake(timeUs: number): void {
    this.#isAsleep = false;
    this.#isUnshown = false;
    this.#motionUs = timeUs;
    this.#wakes += 1;
  }
}
