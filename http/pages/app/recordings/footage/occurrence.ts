/** An answer of `/api/event/query`. Times are Unix times in microseconds. */
export interface DetectedEvent {
  readonly id: string;
  readonly monitorID: string;
  readonly source: string;
  readonly time: number;
  readonly detections: readonly { readonly label: string; readonly score: number }[];
  /** The recording that shows it, if there is one. */
  readonly recording: string | null;
  readonly snapshot: boolean;
}

/** Events of one monitor that follow each other: somebody who walks by is one of these, whatever detectors make of it. */
export interface Occurrence {
  readonly monitorID: string;
  readonly start: number;
  readonly end: number;
  /** Oldest first. */
  readonly events: readonly DetectedEvent[];
  /** The best score of each label. */
  readonly labels: ReadonlyMap<string, number>;
  /** Whose picture says most. */
  readonly best: DetectedEvent;
}

/** A longer pause begins another occurrence. In microseconds. */
export const pauseUs = 30e6;

/** The name of all zones of motion detection, in filters. */
export const motion = 'motion';
const isZone = (label: string) => /^zone\d+$/.test(label);
/** Zones are all one kind of event. */
export const kindOf = (label: string) => (isZone(label) ? motion : label);

/** Newest first. */
export function occurrencesOf(events: readonly DetectedEvent[]): Occurrence[] {
  const open = new Map<string, DetectedEvent[]>();
  const groups: DetectedEvent[][] = [];
  for (const event of [...events].sort((a, b) => a.time - b.time)) {
    const group = open.get(event.monitorID);
    const last = group?.at(-1);
    if (group && last && event.time - last.time <= pauseUs) group.push(event);
    else {
      const begun = [event];
      open.set(event.monitorID, begun);
      groups.push(begun);
    }
  }
  return groups.flatMap(occurrenceOf).sort((a, b) => b.start - a.start);
}

function occurrenceOf(events: readonly DetectedEvent[]): Occurrence[] {
  const [first] = events;
  if (!first) return [];
  const labels = new Map<string, number>();
  for (const { label, score } of events.flatMap(({ detections }) => detections)) {
    const kind = kindOf(label);
    labels.set(kind, Math.max(labels.get(kind) ?? 0, score));
  }
  const best = events.reduce((a, b) => (worth(b) > worth(a) ? b : a));
  const end = events.at(-1)?.time ?? first.time;
  return [{ monitorID: first.monitorID, start: first.time, end, events, labels, best }];
}

/** Of a picture: snapshots show the object, any recording shows more than none. */
function worth({ recording, snapshot, detections }: DetectedEvent): number {
  if (recording === null) return -1;
  return (snapshot ? 1000 : 0) + Math.max(...detections.map(({ score }) => score));
}
