import type { JsonObject } from '../../../../../store/base/json.ts';
import { pauseUs } from '../../data/occurrence-pause.ts';
import { isSame } from '../form/json-pointer.ts';
import type { MotionZone } from '../zones/zones.ts';
import {
  type Certainty,
  enabled,
  outcome,
  type PageEvent,
  type Sight,
  type Sights,
  sightsOf,
  type TriggerOutcome,
} from './trigger-outcome.ts';

interface MotionSection {
  readonly zones?: readonly MotionZone[];
}

/**
 * Motion by zone. Every frame with motion is an event with its score, so higher thresholds are exact. What did not trigger is
 * not stored: with lower thresholds the count is a minimum, and with another area, sensitivity or rate it cannot be known.
 *
 * @param events newest first.
 * @param saved the monitor's section `motion`, and `draft` as it would be.
 */
export function motionOutcomes(
  events: readonly PageEvent[],
  saved: JsonObject | undefined,
  draft: JsonObject | undefined,
): TriggerOutcome[] {
  const before = enabled<MotionSection>(saved)?.zones ?? [];
  const after = enabled<MotionSection>(draft)?.zones ?? [];
  const isSameElse =
    saved === undefined || draft === undefined || isSame(saved['feedRate'], draft['feedRate']);
  const motion = timesWithMotion(events);
  const origins = originsOf(before, after);
  const kept = after.map((zone, index) => {
    const origin = origins[index];
    const old = origin === undefined ? undefined : before[origin];
    const isComparable = isSameElse && old !== undefined && looksAtTheSame(old, zone);
    const certainty: Certainty = !zone.enable ? 'exact' : isComparable ? zoneCertainty(old, zone) : 'unknown';
    const stays = ({ score }: Sight) => zone.enable && isComparable && triggers(zone, score);
    const sights = origin === undefined ? [] : (motion.get(`zone${origin}`) ?? []);
    return outcome({ label: `zone${index}`, certainty, sights, stays, picture: highest });
  });
  const removed = before.flatMap((_, index) =>
    origins.includes(index) ? [] : [goneZone(`zone${index}`, motion)],
  );
  return [...kept, ...removed];
}

/** A zone that is no longer watched triggers nothing. */
function goneZone(label: string, motion: ReadonlyMap<string, Sights[]>): TriggerOutcome {
  const sights = motion.get(label) ?? [];
  return outcome({
    label,
    certainty: 'exact',
    isRemoved: true,
    sights,
    stays: () => false,
    picture: highest,
  });
}

function timesWithMotion(events: readonly PageEvent[]): Map<string, Sights[]> {
  const found = new Map<string, Sights[]>();
  for (const sight of sightsOf(events)) {
    const times = found.get(sight.label) ?? [];
    found.set(sight.label, times);
    const last = times.at(-1);
    if (last && (last.at(-1) ?? last[0]).event.time - sight.event.time <= pauseUs) last.push(sight);
    else times.push([sight]);
  }
  return found;
}

const highest = (sights: Sights): Sight =>
  sights.reduce((best, sight) => (sight.score > best.score ? sight : best));

/** For each new zone, the index that it had: the same, unless one before it was removed. Undefined for an added one. */
function originsOf(
  before: readonly MotionZone[],
  after: readonly MotionZone[],
): readonly (number | undefined)[] {
  const isSameZone = (from: number, to: number) => {
    const [old, zone] = [before[from], after[to]];
    return old !== undefined && zone !== undefined && looksAtTheSame(old, zone);
  };
  const moved = after.map((_, to) => {
    if (isSameZone(to, to)) return to;
    const from = before.findIndex((_, index) => !isSameZone(index, index) && isSameZone(index, to));
    return from === -1 ? undefined : from;
  });
  return moved.map((from, to) => from ?? (to < before.length && !moved.includes(to) ? to : undefined));
}

const looksAtTheSame = (one: MotionZone, other: MotionZone) =>
  one.sensitivity === other.sensitivity &&
  one.area.length === other.area.length &&
  one.area.every(([x, y], index) => other.area[index]?.[0] === x && other.area[index]?.[1] === y);

/** As the detector decides it. */
const triggers = ({ thresholdMin, thresholdMax }: MotionZone, score: number) =>
  score > thresholdMin && (score < thresholdMax || thresholdMax >= 100);

function zoneCertainty(old: MotionZone, zone: MotionZone): Certainty {
  if (!old.enable || typeof zone.thresholdMin !== 'number' || typeof zone.thresholdMax !== 'number')
    return 'unknown';
  const isWider = zone.thresholdMin < old.thresholdMin || zone.thresholdMax > old.thresholdMax;
  return isWider ? 'least' : 'exact';
}
