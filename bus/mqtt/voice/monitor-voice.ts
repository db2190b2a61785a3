import type { Claim } from './claim.ts';
import { Turns } from './turns.ts';

/**
 * By so much detectors begin later than pictures, at least and at most: some seconds where a machine takes over many monitors. An
 * event tells that they have begun; without one there is nothing to divide.
 */
const [minDetectorDelayUs, maxDetectorDelayUs] = [2_000_000, 10_000_000];
/** What is known of who speaks for a monitor. Unix times in microseconds. */
export interface MonitorVoice {
  readonly turns: Turns;
  isSpeaking: boolean;
  /** Whether this machine has spoken since its start. */
  hasBegun: boolean;
  /** It began while this machine did not know whether another one was still at the broker. */
  isTentative: boolean;
  /** Whether it is this machine that has said that another one's turn began. */
  hasHandedOver: boolean;
  claim: Claim | undefined;
  /** Of others at the broker, by machine, and how many heartbeats of it had come before. */
  readonly claims: Map<string, { readonly claim: Claim; readonly beats: number }>;
  /** When each machine was last heard to record it. */
  readonly attendedAt: Map<string, number>;
  /** Since when pictures arrive here. */
  streamingSince: number | undefined;
  /** The time of the first event that this machine has detected in these pictures. */
  detectedAt: number | undefined;
  /** It speaks, and its turn has not begun yet: nobody has it. */
  isAwaitingDetectors: boolean;
  /** When this machine spoke last, while it does not, and since when pictures had arrived then. */
  pause: { readonly at: number; readonly streamingSince: number | undefined } | undefined;
  /** Since when no machine gets pictures. */
  unseenSince: number | undefined;
}

export function newMonitorVoice(): MonitorVoice {
  return {
    ...{ turns: new Turns(), hasBegun: false, isTentative: false, hasHandedOver: false, isSpeaking: false },
    isAwaitingDetectors: false,
    ...{ claim: undefined, claims: new Map(), attendedAt: new Map() },
    ...{ streamingSince: undefined, detectedAt: undefined, pause: undefined, unseenSince: undefined },
  };
}

/** @returns from when on this machine detects what happens; undefined while that is not known. */
export function detectorsBegin(
  { streamingSince, detectedAt, isAwaitingDetectors }: MonitorVoice,
  now: number,
): number | undefined {
  // Of a clock that was set back since, its pictures say nothing.
  if (streamingSince === undefined || now < streamingSince) return now + minDetectorDelayUs;
  const latest = streamingSince + maxDetectorDelayUs;
  if (detectedAt !== undefined) {
    return Math.min(latest, Math.max(streamingSince + minDetectorDelayUs, detectedAt));
  }
  if (now < latest) return undefined;
  // It may have stood still meanwhile, and seen nothing.
  return isAwaitingDetectors ? now : latest;
}
