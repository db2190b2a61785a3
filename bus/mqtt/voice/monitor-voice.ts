import type { Claim } from './claim.ts';
import { Turns } from './turns.ts';

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
