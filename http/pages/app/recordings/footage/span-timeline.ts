/** An answer of `/api/timeline`. Times are Unix times in microseconds. */
export interface SpanTimeline {
  readonly start: number;
  readonly end: number;
  /** Length in microseconds. */
  readonly bucket: number;
  readonly monitors: readonly {
    readonly id: string;
    readonly recorded: readonly (readonly [first: number, last: number])[];
    readonly events: Readonly<Record<string, readonly (readonly [bucket: number, count: number])[]>>;
  }[];
}

/** How often each label was detected on a monitor in a span of time, as far as the buckets can tell. */
export function labelsIn(
  timeline: SpanTimeline | undefined,
  monitorID: string,
  start: number,
  end: number,
): [string, number][] {
  const { bucket = 1, start: origin = 0, monitors = [] } = timeline ?? {};
  return monitors
    .filter(({ id }) => id === monitorID)
    .flatMap(({ events }) =>
      Object.entries(events).flatMap(([label, buckets]): [string, number][] => {
        const inside = buckets.filter(([index]) => {
          const middle = origin + (index + 0.5) * bucket;
          return start <= middle && middle < end;
        });
        const count = inside.reduce((sum, [, each]) => sum + each, 0);
        return count === 0 ? [] : [[label, count]];
      }),
    );
}
