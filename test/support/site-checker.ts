import type { ClusterRecorder } from './cluster.ts';

interface Listed {
  readonly start: number;
  /** null: it goes on. */
  readonly end: number | null;
  readonly machine?: string;
}

/** Without footage on any disk. */
export interface FootageGap {
  readonly monitor: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly seconds: number;
  /** The machines that recorded last and first. */
  readonly from: string;
  readonly to: string;
}

const [page, eventPage] = [1000, 500];

/**
 * What no machine has recorded of these monitors.
 *
 * @param since Unix time in milliseconds from which on all are recorded.
 */
export async function footageGaps(
  cluster: readonly ClusterRecorder[],
  monitors: readonly { readonly id: string }[],
  since: number,
): Promise<FootageGap[]> {
  const gaps: FootageGap[] = [];
  for (const { id } of monitors) {
    const disks = await Promise.all(cluster.map((machine) => recordedBy(machine, id)));
    const now = { start: Date.now(), end: Date.now(), machine: 'nobody' };
    let last = { start: since, end: since, machine: 'nobody' };
    for (const span of [...disks.flat().sort((a, b) => a.start - b.start), now]) {
      const seconds = (span.start - last.end) / 1000;
      if (seconds > 0)
        gaps.push({ monitor: id, at: last.end, seconds, from: last.machine, to: span.machine });
      if (span.end > last.end) last = span;
    }
  }
  return gaps;
}

/** The spans that one machine has on its own disk, in milliseconds. */
async function recordedBy({ name, recorder }: ClusterRecorder, id: string) {
  const list = await recorder.get<readonly Listed[]>(`/api/recording/query?monitors=${id}&limit=${page}`);
  if (list.length === page) throw new Error(`there are more recordings of ${id} than are asked for`);
  return list
    .filter(({ machine = name }) => machine === name)
    .map(({ start, end }) => ({
      start: start / 1000,
      end: (end ?? Date.now() * 1000) / 1000,
      machine: name,
    }));
}

/** The ids of the events that a machine lists of a time, in milliseconds, each as often as it is listed. */
export async function eventsOn(
  { recorder }: ClusterRecorder,
  since: number,
  until: number,
): Promise<string[]> {
  const ids: string[] = [];
  for (let start = since * 1000; ; ) {
    const path = `/api/event/query?order=oldest&limit=${eventPage}&start=${start}&end=${until * 1000}`;
    const found = await recorder.get<readonly { readonly id: string; readonly time: number }[]>(path);
    ids.push(...found.map(({ id }) => id));
    const last = found.at(-1);
    if (!last || found.length < eventPage) return ids;
    start = last.time + 1;
  }
}
