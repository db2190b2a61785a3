import type { JsonObject } from '../../../../../store/base/json.ts';

/** An event as `GET /api/event/query` has it; its time is a Unix time in microseconds. */
export interface PageEvent {
  readonly id: string;
  readonly time: number;
  readonly recording: string | null;
  readonly snapshot: boolean;
  readonly detections: readonly {
    readonly label: string;
    /** Percent. */
    readonly score: number;
    /** In millionths of the picture. */
    readonly box?: {
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
    };
    /** Id of the tracked object. */
    readonly object?: string;
  }[];
}

/** Whether a count is right, what it is at least, or nothing that the stored events could say. */
export type Certainty = 'exact' | 'least' | 'unknown';

/** Something that triggered: an object, or motion without a pause of more than 30 seconds. */
interface Trigger {
  /** The event whose picture shows it. */
  readonly event: PageEvent;
  /** Whether it would trigger with the new settings, too. */
  readonly stays: boolean;
}

export interface TriggerOutcome {
  /** Of an object, or `zone<k>`. */
  readonly label: string;
  /** Whether it is a zone that the new settings do not have any more. */
  readonly isRemoved: boolean;
  readonly certainty: Certainty;
  /** Newest first. */
  readonly triggers: readonly Trigger[];
}

export type StoredDetection = PageEvent['detections'][number];

/** A detection, and the event that it is of. */
export interface Sight extends StoredDetection {
  readonly event: PageEvent;
}

/** Sights of one object, or of one time with motion, newest first. */
export type Sights = [Sight, ...Sight[]];

interface OutcomeParts extends Pick<TriggerOutcome, 'label' | 'certainty'> {
  readonly isRemoved?: boolean;
  readonly sights: readonly Sights[];
  stays(sight: Sight): boolean;
  /** The sight whose picture is shown. */
  picture(sights: Sights): Sight;
}

/** What became of the sights: each object, or time, stays if one of its sights does. */
export function outcome({
  label,
  certainty,
  isRemoved = false,
  sights,
  stays,
  picture,
}: OutcomeParts): TriggerOutcome {
  const triggers = sights.map((each) => ({ event: picture(each).event, stays: each.some(stays) }));
  return { label, certainty, isRemoved, triggers };
}

/** The section, if its detector is switched on. */
export function enabled<Section>(section: JsonObject | undefined): Section | undefined {
  return section?.['enable'] === true ? (section as unknown as Section) : undefined;
}

/** All detections, in the order of the events. */
export const sightsOf = (events: readonly PageEvent[]) =>
  events.flatMap((event) => event.detections.map((detection): Sight => ({ ...detection, event })));
