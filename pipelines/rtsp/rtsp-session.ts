import { KeepAlive } from './keep-alive.ts';
import { controlUrl } from './protocol/control-url.ts';
import { RtspError, refusal } from './protocol/rtsp-error.ts';
import { isSuccess, type RtspMessage } from './protocol/rtsp-message.ts';
import type { RtspTimeouts } from './protocol/rtsp-timeouts.ts';
import type { RtspTrack, SessionDescription } from './protocol/sdp.ts';
import { defaultTimeoutMs } from './protocol/session-headers.ts';
import type { ReceptionCounts } from './rtp/reception.ts';
import type { SenderReport } from './rtp/rtcp.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import { Receiver } from './track-receiver.ts';
import { type RtspTransport, type SetupResult, TrackSetup } from './track-setup.ts';

export interface PlayHandlers {
  /** Called while the socket is being read: packets in their order, those of one chunk without a pause. */
  onPacket(track: RtspTrack, packet: RtpPacket): void;
  /** The camera says what time it is. */
  onReport?(track: RtspTrack, report: SenderReport): void;
  /** Called once, and nothing after it. Without an error it is the end that `close` or the signal brought. */
  onEnd(error?: RtspError): void;
}

export interface RtspSessionOptions {
  readonly connection: RtspConnection;
  readonly description: SessionDescription;
  readonly base: string;
  readonly transport: RtspTransport;
  readonly timeouts: RtspTimeouts;
  readonly signal: AbortSignal;
  readonly log: (sentence: string) => void;
}

const teardownMs = 1000;
const aggregateNotAllowed = 459;

/** A camera that has been described: its tracks, which of them are wanted, and their packets. */
export class RtspSession {
  /** The tracks that the camera announces, in its order. */
  readonly tracks: readonly RtspTrack[];
  readonly #options: RtspSessionOptions;
  readonly #receiver: Receiver;
  readonly #setup: TrackSetup;
  readonly #agreed: RtspTrack[] = [];
  #handlers: PlayHandlers | undefined;
  #isPlaying = false;
  #keepAlive: KeepAlive | undefined;
  #end: { readonly error: RtspError | undefined } | undefined;
  #closed: Promise<void> = Promise.resolve();

  /** For `openRtsp`. */
  constructor(options: RtspSessionOptions) {
    const { connection, description, signal } = options;
    this.tracks = description.tracks;
    this.#options = options;
    this.#receiver = new Receiver(connection, {
      onPacket: (track, packet) => this.#handlers?.onPacket(track, packet),
      onReport: (track, report) => this.#handlers?.onReport?.(track, report),
      onSilence: (error) => this.#finish(error),
    });
    this.#setup = new TrackSetup(this.#receiver, options);
    void connection.closed.then((error) => this.#finish(signal.aborted ? undefined : error));
  }

  /**
   * Asks for these tracks and no others, one after the other.
   *
   * @returns what became of each; that one is refused is no error here.
   * @throws {RtspError} when the connection is over; the signal's reason when it aborts.
   */
  async setup(tracks: readonly RtspTrack[]): Promise<readonly SetupResult[]> {
    const results: SetupResult[] = [];
    for (const track of tracks) {
      const result = await this.#setup.ask(track);
      if (!result.error) this.#agreed.push(track);
      results.push(result);
    }
    return results;
  }

  /**
   * Plays what has been set up. Packets may come before this resolves.
   *
   * @throws {RtspError} when the camera refuses or does not answer. The session is closed then, without `onEnd`.
   */
  async play(handlers: PlayHandlers): Promise<void> {
    const { connection, timeouts, log, signal } = this.#options;
    this.#handlers = handlers;
    try {
      await this.#startPlaying();
      if (this.#end)
        throw this.#end.error ?? signal.reason ?? new RtspError('lost', 'the session was closed');
    } catch (error) {
      void this.close();
      throw error;
    }
    this.#isPlaying = true;
    this.#receiver.start(timeouts);
    const { id, timeoutMs } = this.#setup.session ?? { id: undefined, timeoutMs: defaultTimeoutMs };
    this.#keepAlive = new KeepAlive({ connection, url: this.#url(), session: id, timeoutMs, log });
  }

  /** @returns what has come of a track, also after the end; undefined when it was not set up. */
  counts(track: RtspTrack): ReceptionCounts | undefined {
    return this.#receiver.counts(track);
  }

  /** Says goodbye to the camera, for a second at most, and ends the connection. It never fails. */
  close(): Promise<void> {
    this.#finish(undefined);
    return this.#closed;
  }

  /** Nothing is handed on after this. */
  #finish(error: RtspError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    this.#keepAlive?.close();
    this.#receiver.close();
    this.#closed = this.#tearDown();
    const handlers = this.#handlers;
    this.#handlers = undefined;
    if (this.#isPlaying) handlers?.onEnd(error);
  }

  async #tearDown(): Promise<void> {
    const { connection } = this.#options;
    if (this.#agreed.length > 0 && !connection.isClosed) {
      const timer = setTimeout(() => connection.close(), teardownMs);
      await this.#request('TEARDOWN', this.#url()).catch(() => {});
      clearTimeout(timer);
    }
    connection.close();
    await connection.closed;
  }

  async #startPlaying(): Promise<void> {
    let answer = await this.#request('PLAY', this.#url());
    if (answer.status === aggregateNotAllowed) {
      for (const track of this.#agreed) answer = await this.#request('PLAY', this.#url(track));
    }
    if (!isSuccess(answer)) throw refusal('PLAY', answer.status ?? 0);
  }

  #request(method: string, url: string): Promise<RtspMessage> {
    const Range = method === 'PLAY' ? 'npt=0.000-' : undefined;
    return this.#options.connection.request(method, url, { Session: this.#setup.session?.id, Range });
  }

  /** Without a track, of all of them together. */
  #url(track?: RtspTrack): string {
    const { base, description } = this.#options;
    return controlUrl(base, (track ?? description).control);
  }
}
