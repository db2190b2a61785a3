/** Two crashes within this time are one too many. */
const windowMs = 3600_000;
/** Without another crash, a monitor shares a process again after this time, from its next connection on. */
const aloneMs = 6 * 3600_000;

interface Crashes {
  readonly lastMs: number;
  readonly aloneUntilMs: number;
}

/**
 * The monitors that were in a process when it crashed. After two crashes within an hour a monitor is alone for six hours, so
 * that one whose camera makes a process crash soon hits itself only.
 */
export class CrashRecord {
  readonly #crashes = new Map<string, Crashes>();

  /**
   * @param nowMs of the monotonic clock
   * @returns whether the monitor is alone from now on, and was not before.
   */
  add(monitorID: string, nowMs: number): boolean {
    for (const [id, { lastMs, aloneUntilMs }] of this.#crashes) {
      if (nowMs >= Math.max(lastMs + windowMs, aloneUntilMs)) this.#crashes.delete(id);
    }
    const before = this.#crashes.get(monitorID);
    const wasAlone = this.isAlone(monitorID, nowMs);
    const isAlone = wasAlone || (before !== undefined && nowMs - before.lastMs < windowMs);
    this.#crashes.set(monitorID, { lastMs: nowMs, aloneUntilMs: isAlone ? nowMs + aloneMs : 0 });
    return isAlone && !wasAlone;
  }

  /** @param nowMs of the monotonic clock */
  isAlone(monitorID: string, nowMs: number): boolean {
    return nowMs < (this.#crashes.get(monitorID)?.aloneUntilMs ?? 0);
  }
}
