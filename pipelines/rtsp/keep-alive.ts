import { RtspError } from './protocol/rtsp-error.ts';
import { header } from './protocol/rtsp-message.ts';
import type { RtspConnection } from './rtsp-connection.ts';

/** Twice within the camera's patience, with room for a slow answer. */
const shareOfTimeout = 0.4;
const maxIntervalMs = 30_000;
const minIntervalMs = 400;

export interface KeepAliveOptions {
  readonly connection: RtspConnection;
  readonly url: string;
  readonly session: string | undefined;
  /** After which the camera ends a session that it hears nothing of. */
  readonly timeoutMs: number;
  readonly log: (sentence: string) => void;
}

/**
 * Asks the camera something now and then, so that it does not end the session: GET_PARAMETER where it knows that,
 * as its answer to a first OPTIONS shows, and OPTIONS elsewhere. No answer to this ends anything: a session that is
 * over shows by its silence.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #refused = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #knowsGetParameter = false;
  #unauthorized = false;
  #waiting = false;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    const intervalMs = Math.min(Math.max(options.timeoutMs * shareOfTimeout, minIntervalMs), maxIntervalMs);
    this.#timer = setInterval(() => void this.#ask(), intervalMs);
    void this.#ask();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    const methods = this.#knowsGetParameter ? ['GET_PARAMETER', 'OPTIONS'] : ['OPTIONS', 'GET_PARAMETER'];
    // A refusal proves that the camera lives, unless it refuses the password each time.
    const fallback = this.#unauthorized ? undefined : 'OPTIONS';
    const method = methods.find((one) => !this.#refused.has(one)) ?? fallback;
    if (this.#waiting || method === undefined) return;
    const { connection, url, session, log } = this.#options;
    this.#waiting = true;
    try {
      const answer = await connection.request(method, url, { Session: session });
      this.#knowsGetParameter ||= /\bGET_PARAMETER\b/i.test(header(answer, 'public') ?? '');
      if ((answer.status ?? 0) >= 400) this.#refuse(method, `RTSP status ${answer.status}`);
    } catch (error) {
      // A login that is refused here is not tried again: cameras count those.
      this.#unauthorized ||= error instanceof RtspError && error.code === 'unauthorized';
      if (this.#unauthorized) this.#refuse(method, 'the login is not accepted any more');
      else log(`the camera did not answer a keep-alive by ${method}`);
    } finally {
      this.#waiting = false;
    }
  }

  #refuse(method: string, why: string): void {
    if (this.#refused.has(method)) return;
    this.#refused.add(method);
    this.#options.log(`the camera refuses ${method} as a keep-alive: ${why}`);
  }
}
