/** An answer of `/api/event/occurrences`. Times are Unix times in microseconds. */
export interface FoundOccurrence {
  readonly monitorID: string;
  readonly start: number;
  readonly end: number;
  /** The best score of each label. */
  readonly labels: Readonly<Record<string, number>>;
  /** The event whose picture says most. */
  readonly best: {
    readonly id: string;
    readonly time: number;
    /** The recording that shows it, if there is one. */
    readonly recording: string | null;
    readonly snapshot: boolean;
  };
}

/** The name of all zones of motion detection, in filters. */
export const motion = 'motion';
const isZone = (label: string) => /^zone\d+$/.test(label);
/** Zones are all one kind of event. */
export const kindOf = (label: string) => (isZone(label) ? motion : label);

/** What it was: objects first, the most certain of them before the others. */
export function kindsIn(labels: Readonly<Record<string, number>>): string[] {
  const rank = (label: string, score: number) => (isZone(label) ? -1 : score);
  const sorted = Object.entries(labels).sort(([a, first], [b, second]) => rank(b, second) - rank(a, first));
  return [...new Set(sorted.map(([label]) => kindOf(label)))];
}
