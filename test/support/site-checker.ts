import { stat } from 'node:fs/promises';
import type { ClusterRecorder } from './cluster.ts';
import { pathOf } from './footage.ts';

interface Listed {
  readonly id: string;
  readonly start: number;
  /** null: it goes on. */
  readonly end: number | null;
  readonly machine?: string;
}

/** What one machine has on its own disk of a monitor. Unix times in milliseconds. */
interface RecordedSpan {
  readonly id: string;
  readonly machine: string;
  readonly start: number;
  readonly end: number;
  /** When its file was made, by the clock of the disk, which nobody sets. */
  readonly made: number;
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
/** A file is made so soon after its first picture was taken, also on a busy machine that does not stand still. Milliseconds. */
const maxDelayMs = 8000;

/** A machine was stopped from one moment to another: Unix times in milliseconds. */
export interface Standstill {
  readonly machine: string;
  readonly from: number;
  readonly to: number;
}

/** What all machines have of a monitor, in the order of time, as it was asked for at a moment. */
interface MonitorFootage {
  readonly askedAt: number;
  readonly spans: readonly RecordedSpan[];
}

/** What the machines of a cluster have of these monitors. */
export class SiteFootage {
  readonly #byMonitor: ReadonlyMap<string, MonitorFootage>;

  private constructor(byMonitor: ReadonlyMap<string, MonitorFootage>) {
    this.#byMonitor = byMonitor;
  }

  static async read(
    cluster: readonly ClusterRecorder[],
    monitors: readonly { readonly id: string }[],
  ): Promise<SiteFootage> {
    const found = new Map<string, MonitorFootage>();
    for (const { id } of monitors) {
      const askedAt = Date.now();
      const disks = await Promise.all(cluster.map((machine) => recordedBy(machine, id)));
      found.set(id, { askedAt, spans: disks.flat().sort((a, b) => a.start - b.start) });
    }
    return new SiteFootage(found);
  }

  /** What no machine has recorded. @param since Unix time in milliseconds from which on all are recorded. */
  gaps(since: number): FootageGap[] {
    const gaps: FootageGap[] = [];
    for (const [monitor, { askedAt, spans }] of this.#byMonitor) {
      const now = { start: askedAt, end: askedAt, machine: 'nobody' };
      let last = { start: since, end: since, machine: 'nobody' };
      for (const span of [...spans, now]) {
        const seconds = (span.start - last.end) / 1000;
        if (seconds > 0) gaps.push({ monitor, at: last.end, seconds, from: last.machine, to: span.machine });
        if (span.end > last.end) last = span;
      }
    }
    return gaps;
  }

  /** The recordings that have the times of a wrong clock. @param standstills during which a machine makes no file. */
  wrongTimes(standstills: readonly Standstill[]): string[] {
    return [...this.#byMonitor.values()].flatMap(({ spans }) =>
      spans
        .filter((span) => Math.abs(span.made - span.start) > maxDelayMs + stoppedMs(span, standstills))
        .map(
          ({ id, machine, start, made }) => `${id} of ${machine}: ${((start - made) / 1000).toFixed(1)} s`,
        ),
    );
  }
}

/** How long its machine stood still between the first picture of a recording and its file, in milliseconds. */
export function stoppedMs(
  { machine, start, made }: Pick<RecordedSpan, 'machine' | 'start' | 'made'>,
  standstills: readonly Standstill[],
): number {
  return standstills
    .filter((each) => each.machine === machine)
    .map(({ from, to }) => Math.max(0, Math.min(to, made) - Math.max(from, start)))
    .reduce((sum, each) => sum + each, 0);
}

/** All recordings of a monitor that a machine knows of, newest first. */
async function listedBy({ recorder }: ClusterRecorder, monitorID: string): Promise<Listed[]> {
  const list: Listed[] = [];
  for (;;) {
    const before = list.length > 0 ? `&before=${list.at(-1)?.id}` : '';
    const path = `/api/recording/query?monitors=${monitorID}&limit=${page}${before}`;
    const found = await recorder.get<readonly Listed[]>(path);
    list.push(...found);
    if (found.length < page) return list;
  }
}

async function recordedBy(member: ClusterRecorder, monitorID: string): Promise<RecordedSpan[]> {
  const { name, recorder } = member;
  const list = await listedBy(member, monitorID);
  const own = list.filter(({ machine = name }) => machine === name);
  return Promise.all(
    own.map(async ({ id, start, end }) => ({
      ...{ id, machine: name, start: start / 1000, end: (end ?? Date.now() * 1000) / 1000 },
      // Where there are several machines, an id ends with the name of one.
      made: (await stat(pathOf(recorder.recordings, id.replace(/@.*/, ''), monitorID))).birthtimeMs,
    })),
  );
}

/** An event, as a machine lists it. */
export interface ListedEvent {
  readonly id: string;
  readonly monitorID: string;
  readonly source: string;
  readonly machine: string;
  /** Unix time in microseconds. */
  readonly time: number;
}

/** The events that a machine lists of a time, in milliseconds, oldest first, each as often as it is listed. */
export async function eventsOn(
  { recorder }: ClusterRecorder,
  since: number,
  until: number,
): Promise<ListedEvent[]> {
  const events: ListedEvent[] = [];
  for (let start = since * 1000; ; ) {
    const path = `/api/event/query?order=oldest&limit=${eventPage}&start=${start}&end=${until * 1000}`;
    const found = await recorder.get<readonly ListedEvent[]>(path);
    events.push(...found);
    const last = found.at(-1);
    // A page has all events of its last time.
    if (!last || found.length < eventPage) return events;
    start = last.time + 1;
  }
}
