import { type Point, pixelRuns } from '../polygon.ts';

export interface Zone {
  readonly enable: boolean;
  /** The minimum change of a pixel that counts, in percent. */
  readonly sensitivity: number;
  /** In percent of the zone's pixels: there is motion if the changed share is between the two. */
  readonly thresholdMin: number;
  readonly thresholdMax: number;
  readonly area: readonly Point[];
}

export interface ZoneScore {
  /** `zone<k>`, where k counts all zones from 0, so that disabling one renames none. */
  readonly label: string;
  /** Percent of the zone's pixels that have changed. */
  readonly score: number;
}

interface PreparedZone {
  readonly label: string;
  readonly runs: Uint32Array;
  readonly pixels: number;
  readonly minChange: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Detects motion as SentryShot does: by the share of a zone's pixels that differ from the previous frame by at least the
 * zone's sensitivity. There is motion if the share is strictly between the thresholds; at a maximum of 100 a complete
 * change counts too.
 */
export class MotionZones {
  readonly #zones: readonly PreparedZone[];

  /** Prepares zones for frames of this size. A zone without pixels never has motion. */
  constructor(zones: readonly Zone[], width: number, height: number) {
    this.#zones = zones
      .map((zone, index) => ({ ...prepare(zone, width, height), label: `zone${index}`, enable: zone.enable }))
      .filter(({ enable, pixels }) => enable && pixels > 0);
  }

  /** The zones with motion between two gray frames of the prepared size. */
  compare(before: Uint8Array, now: Uint8Array): ZoneScore[] {
    const moving: ZoneScore[] = [];
    for (const zone of this.#zones) {
      const { label, min, max } = zone;
      const score = scoreOf(zone, before, now);
      if (score > min && (score < max || max >= 100)) moving.push({ label, score });
    }
    return moving;
  }

  /** The scores of all zones that are watched, by label. */
  scores(before: Uint8Array, now: Uint8Array): ReadonlyMap<string, number> {
    return new Map(this.#zones.map((zone) => [zone.label, scoreOf(zone, before, now)]));
  }
}

/** The part of the picture, 0 to 1, that must change at least to be motion in one of the zones. */
export function leastShare(zones: readonly Zone[]): number {
  const [width, height] = [320, 180];
  const prepared = zones.filter(({ enable }) => enable).map((zone) => prepare(zone, width, height));
  return Math.min(1, ...prepared.map(({ pixels, min }) => ((pixels / (width * height)) * min) / 100));
}

function prepare(zone: Zone, width: number, height: number): Omit<PreparedZone, 'label'> {
  const runs = pixelRuns(zone.area, width, height);
  let pixels = 0;
  for (let run = 0; run < runs.length; run += 2) pixels += at(runs, run + 1) - at(runs, run);
  return {
    runs,
    pixels,
    minChange: Math.trunc(Math.min(255, zone.sensitivity * 2.56)),
    min: zone.thresholdMin,
    max: zone.thresholdMax,
  };
}

function scoreOf({ runs, pixels, minChange }: PreparedZone, before: Uint8Array, now: Uint8Array): number {
  return (changedPixels(before, now, runs, minChange) / pixels) * 100;
}

function changedPixels(before: Uint8Array, now: Uint8Array, runs: Uint32Array, minChange: number): number {
  let changed = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const end = at(runs, run + 1);
    for (let pixel = at(runs, run); pixel < end; pixel += 1) {
      if (Math.abs(at(now, pixel) - at(before, pixel)) >= minChange) changed += 1;
    }
  }
  return changed;
}

const at = (array: Uint8Array | Uint32Array, index: number) => array[index] as number;
