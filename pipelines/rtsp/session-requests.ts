import { controlUrl } from './protocol/control-url.ts';
import { refusal } from './protocol/rtsp-error.ts';
import { isSuccess, type RtspMessage } from './protocol/rtsp-message.ts';
import type { RtspTrack, SessionDescription } from './protocol/sdp.ts';
import type { RtspConnection } from './rtsp-connection.ts';

export interface SessionRequestsOptions {
  readonly connection: RtspConnection;
  readonly description: SessionDescription;
  /** The base URL of the control URLs. */
  readonly base: string;
  /** The session's id, once the camera has named it. */
  readonly sessionID: () => string | undefined;
}

const teardownMs = 1000;
const aggregateNotAllowed = 459;

/** PLAY and TEARDOWN: the requests about all tracks of a session. */
export class SessionRequests {
  readonly #options: SessionRequestsOptions;

  constructor(options: SessionRequestsOptions) {
    this.#options = options;
  }

  /** Of all tracks together, or of one. */
  url(track?: RtspTrack): string {
    const { base, description } = this.#options;
    return controlUrl(base, (track ?? description).control);
  }

  /** @throws {RtspError} when the camera refuses or does not answer. */
  async play(tracks: readonly RtspTrack[]): Promise<void> {
    let answer = await this.#request('PLAY', this.url());
    if (answer.status === aggregateNotAllowed) {
      for (const track of tracks) answer = await this.#request('PLAY', this.url(track));
    }
    if (!isSuccess(answer)) throw refusal('PLAY', answer.status ?? 0);
  }

  /** Takes a second at most. @returns whether the camera has ended the session, and the connection is still there. */
  async tearDown(): Promise<boolean> {
    const { connection } = this.#options;
    const timer = setTimeout(() => connection.close(), teardownMs);
    const isEnded = await this.#request('TEARDOWN', this.url()).then(isSuccess, () => false);
    clearTimeout(timer);
    return isEnded && !connection.isClosed;
  }

  #request(method: string, url: string): Promise<RtspMessage> {
    const { connection, sessionID } = this.#options;
    const Range = method === 'PLAY' ? 'npt=0.000-' : undefined;
    return connection.request(method, url, { Session: sessionID(), Range });
  }
}
