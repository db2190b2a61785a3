import type { Json, JsonObject } from '../../../../../store/base/json.ts';
import { isSame } from '../form/json-pointer.ts';
import { isInside, type Polygon } from '../zones/polygon-editing.ts';
import type { ObjectMask } from '../zones/zones.ts';
import {
  type Certainty,
  enabled,
  outcome,
  type PageEvent,
  type Sight,
  type Sights,
  type StoredDetection,
  sightsOf,
  type TriggerOutcome,
} from './trigger-outcome.ts';

interface ObjectSection {
  readonly thresholds?: Readonly<Record<string, Json>>;
  readonly mask?: ObjectMask;
}

/**
 * Objects by label. Events have the score at which an object appeared, and some later ones; it may have reached more between
 * them. So with another threshold or mask, the count is a minimum.
 *
 * @param events newest first.
 * @param saved the monitor's section `tflite`, and `draft` as it would be.
 */
export function objectOutcomes(
  events: readonly PageEvent[],
  saved: JsonObject | undefined,
  draft: JsonObject | undefined,
): TriggerOutcome[] {
  const before = enabled<ObjectSection>(saved);
  const after = enabled<ObjectSection>(draft);
  const objects = grouped(events, ({ label, object, event }) => [label, object ?? event.id]);
  const isSameElse = isSame(without(saved, 'thresholds', 'mask'), without(draft, 'thresholds', 'mask'));
  const [maskBefore, maskAfter] = [maskOf(before), maskOf(after)];
  const labels = new Set([
    ...objects.keys(),
    ...Object.keys(before?.thresholds ?? {}),
    ...Object.keys(after?.thresholds ?? {}),
  ]);
  return [...labels].sort().map((label) => {
    const [old, threshold] = [before?.thresholds?.[label], after?.thresholds?.[label]];
    const isSameHere = old !== undefined && old === threshold && isSame(maskBefore, maskAfter);
    const isUnchanged = isSameElse && isSameHere;
    const certainty = (): Certainty => {
      if (isUnchanged || threshold === undefined) return 'exact';
      return isSameElse && old !== undefined && typeof threshold === 'number' ? 'least' : 'unknown';
    };
    const stays = ({ score, box }: Sight) =>
      isUnchanged || (typeof threshold === 'number' && score >= threshold && !isHidden(box, maskAfter));
    // The picture of an object's first event is the best one.
    const picture = (sights: Sights) => sights.at(-1) ?? sights[0];
    return outcome({ label, certainty: certainty(), sights: objects.get(label) ?? [], stays, picture });
  });
}

/** What else decides which events there are; how long is recorded after them does not. */
function without(section: JsonObject | undefined, ...names: readonly string[]): JsonObject {
  const left = [...names, 'duration', 'enable'];
  return Object.fromEntries(Object.entries(section ?? {}).filter(([name]) => !left.includes(name)));
}

/** Empty without a mask, and while it is off. */
const maskOf = (section: ObjectSection | undefined): [number, number][] =>
  section?.mask?.enable ? section.mask.area.map(([x, y]) => [x, y]) : [];

function isHidden(box: StoredDetection['box'], mask: Polygon): boolean {
  return box !== undefined && isInside(mask, [box.x + box.width / 2, box.y + box.height / 2]);
}

/** Sights by label, those of one object together. @param keysOf the label, and what names the object */
function grouped(
  events: readonly PageEvent[],
  keysOf: (sight: Sight) => readonly [label: string, object: string],
): Map<string, Sights[]> {
  const found = new Map<string, Map<string, Sights>>();
  for (const sight of sightsOf(events)) {
    const [label, object] = keysOf(sight);
    const objects = found.get(label) ?? new Map<string, Sights>();
    found.set(label, objects);
    const sights = objects.get(object);
    if (sights) sights.push(sight);
    else objects.set(object, [sight]);
  }
  return new Map([...found].map(([label, objects]) => [label, [...objects.values()]]));
}
