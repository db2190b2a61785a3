import type { Log } from '../../../bus/log.ts';
import type { Detection } from '../../../bus/messages.ts';

/** As long without motion as the MQTT state waits before it is off. */
const quietUs = 10_000_000;

/** The log entries of one monitor's motion: each trigger at debug, and at info when it begins and ends. */
export class MotionLog {
  readonly #log: Log;
  readonly #monitorID: string;
  #beganUs: number | undefined;
  #lastUs = 0;

  constructor(log: Log, monitorID: string) {
    this.#log = log;
    this.#monitorID = monitorID;
  }

  /**
   * To be called for each frame that was compared.
   *
   * @param timeUs capture time of the frame: Unix time in microseconds.
   */
  look(timeUs: number, detections: readonly Detection[]): void {
    // An earlier time is of a clock that was set back.
    if (timeUs - this.#lastUs > quietUs || timeUs < this.#lastUs) this.end();
    if (detections.length === 0) return;
    const text = detections.map(({ label, score }) => `${label}, score ${score.toFixed(1)}`).join('; ');
    if (this.#beganUs === undefined) {
      this.#beganUs = timeUs;
      this.#log.info(`motion began: ${text}`, this.#monitorID);
    }
    this.#lastUs = timeUs;
    this.#log.debug(`motion: ${text}`, this.#monitorID);
  }

  end(): void {
    if (this.#beganUs === undefined) return;
    const seconds = (this.#lastUs - this.#beganUs) / 1e6;
    this.#beganUs = undefined;
    this.#log.info(`motion ended, it lasted ${seconds.toFixed(1)} s`, this.#monitorID);
  }
}
