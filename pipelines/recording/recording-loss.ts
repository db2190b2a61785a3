import type { Log } from '../../bus/log.ts';

export interface RecordingLossOptions {
  readonly monitorID: string;
  readonly log: Log;
  /** Gets why nothing can be recorded, and null when it can again. */
  readonly onTrouble: (text: string | null) => void;
}

/** Media that is not recorded: one entry for each time of trouble, however many attempts it takes to end it. */
export class RecordingLoss {
  readonly #options: RecordingLossOptions;
  /** Where in media time the present loss began, in microseconds. */
  #sinceUs: number | undefined;

  constructor(options: RecordingLossOptions) {
    this.#options = options;
  }

  /** @param sinceUs media time in microseconds */
  begin(sinceUs: number, why: string, level: 'error' | 'warning' = 'error'): void {
    if (this.#sinceUs !== undefined) return;
    this.#sinceUs = sinceUs;
    const { log, monitorID, onTrouble } = this.#options;
    const text = `cannot record: ${why}`;
    log[level](text, monitorID);
    onTrouble(text);
  }

  /** A recording is on disk that begins at this media time, in microseconds. */
  end(atUs: number): void {
    if (this.#sinceUs === undefined) return;
    const { log, monitorID, onTrouble } = this.#options;
    const seconds = ((atUs - this.#sinceUs) / 1e6).toFixed(1);
    log.warning(`recording again, ${seconds} s were lost`, monitorID);
    this.#sinceUs = undefined;
    onTrouble(null);
  }
}
