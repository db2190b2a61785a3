import {
  type KeptRecording,
  type NewestRecordings,
  type RetentionRules,
  seriesOf,
} from './retention-rules.ts';

/** What has to be deleted, and what must not be. */
export interface RetentionNeeds {
  /** By which time something is too old, Unix time in milliseconds; see `AgeClock`. */
  readonly nowMs: number;
  readonly rulesOf: (monitorID: string) => RetentionRules;
  readonly newest: NewestRecordings;
  /** Bytes too many in all, of each monitor, and on the disk. */
  readonly total: number;
  readonly monitors: ReadonlyMap<string, number>;
  readonly disk: number;
  readonly isProtected: (id: string) => boolean;
  /** Until when its events keep a recording, Unix time in milliseconds; 0 if they do not. */
  readonly keptUntilMs: (recording: KeptRecording) => Promise<number>;
}

/**
 * Chooses the recordings to delete. Those that are older than their monitor's limit go, unless they are kept for their
 * events. Then, until enough is freed, the oldest of all monitors; after them those kept for their events; and last, but
 * never for a full disk, the newest of each monitor.
 *
 * @param recordings oldest first.
 */
export async function chooseRecordings(
  recordings: AsyncIterable<KeptRecording>,
  needs: RetentionNeeds,
): Promise<KeptRecording[]> {
  const { nowMs, rulesOf, isProtected, keptUntilMs } = needs;
  const chosen = new Set<KeptRecording>();
  const kept: KeptRecording[] = [];
  const newest: KeptRecording[] = [];
  const own = new Map(needs.monitors);
  let { total, disk } = needs;
  const ages = new AgeLimits(needs);
  const take = (recording: KeptRecording) => {
    const { monitorID, bytes } = recording;
    if (chosen.has(recording)) return;
    chosen.add(recording);
    own.set(monitorID, (own.get(monitorID) ?? 0) - bytes);
    total -= bytes;
    disk -= bytes;
  };
  const isWithinLimits = ({ monitorID }: KeptRecording) => total <= 0 && (own.get(monitorID) ?? 0) <= 0;
  const isEnough = () => total <= 0 && disk <= 0 && [...own.values()].every((bytes) => bytes <= 0);
  const isNewest = (recording: KeptRecording) =>
    Math.abs((needs.newest.get(seriesOf(recording))?.startMs ?? nowMs) - recording.startMs) <
    rulesOf(recording.monitorID).minMs;

  for await (const recording of recordings) {
    if (isEnough() && ages.areReached) break;
    if (isProtected(recording.id)) continue;
    for (const old of ages.expire(recording)) if ((await keptUntilMs(old)) <= nowMs) take(old);
    if (chosen.has(recording) || (isWithinLimits(recording) && disk <= 0)) continue;
    if (isNewest(recording)) newest.push(recording);
    else if ((await keptUntilMs(recording)) > nowMs) kept.push(recording);
    else take(recording);
  }
  for (const recording of kept) if (!isWithinLimits(recording) || disk > 0) take(recording);
  for (const recording of newest) if (!isWithinLimits(recording)) take(recording);
  return [...chosen];
}

/**
 * Finds the recordings that are too old. Of each series they come in the order of recording; a clock that was wrong for a
 * while has given some of them wrong times. So the first one that is not too old ends the search; one with a time to come
 * does not, and goes with the next one that is too old.
 */
class AgeLimits {
  readonly #needs: RetentionNeeds;
  /** Series in which a recording that is too old may still come. */
  readonly #open: Set<string>;
  /** By series, those with a time to come. */
  readonly #waiting = new Map<string, KeptRecording[]>();

  constructor(needs: RetentionNeeds) {
    this.#needs = needs;
    const limited = [...needs.newest].filter(
      ([, { monitorID }]) => needs.rulesOf(monitorID).maxAgeMs !== undefined,
    );
    this.#open = new Set(limited.map(([series]) => series));
  }

  get areReached(): boolean {
    return this.#open.size === 0;
  }

  /** @returns those that are known to be too old now that this one has come. */
  expire(recording: KeptRecording): readonly KeptRecording[] {
    const series = seriesOf(recording);
    const { maxAgeMs } = this.#needs.rulesOf(recording.monitorID);
    if (maxAgeMs === undefined || !this.#open.has(series)) return [];
    const ageMs = this.#needs.nowMs - recording.endMs;
    const waiting = this.#waiting.get(series) ?? [];
    if (ageMs < 0) this.#waiting.set(series, [...waiting, recording]);
    else if (ageMs <= maxAgeMs) this.#open.delete(series);
    else {
      this.#waiting.delete(series);
      return [...waiting, recording];
    }
    return [];
  }
}
