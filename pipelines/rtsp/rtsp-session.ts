import { setImmediate as afterReading } from 'node:timers/promises';
import type { RtspAddress } from '../../bus/base/rtsp-address.ts';
import type { ConnectionReuse } from './connection-reuse.ts';
import { KeepAlive } from './keep-alive.ts';
import { RtspError } from './protocol/rtsp-error.ts';
import type { RtspTimeouts } from './protocol/rtsp-timeouts.ts';
import type { RtspTrack, SessionDescription } from './protocol/sdp.ts';
import { defaultTimeoutMs } from './protocol/session-headers.ts';
import type { ReceptionCounts } from './rtp/reception.ts';
import type { SenderReport } from './rtp/rtcp.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import { SessionRequests } from './session-requests.ts';
import { Receiver } from './track-receiver.ts';
import { type RtspTransport, type SetupResult, TrackSetup } from './track-setup.ts';

/** While nobody waits for the pictures. It costs little of the second in which a picture is to be on disk. */
const gatherPauseMs = 200;
/** Each takes up to two megabytes. */
const restRounds = 3;

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
  /** Of the connection. */
  readonly address: RtspAddress;
  /** Gets the connection after TEARDOWN; without it, the connection is closed. */
  readonly reuse?: ConnectionReuse | undefined;
  readonly description: SessionDescription;
  readonly base: string;
  readonly transport: RtspTransport;
  readonly timeouts: RtspTimeouts;
  readonly signal: AbortSignal;
  readonly log: (sentence: string) => void;
}

/** A camera that has been described: its tracks, which of them are wanted, and their packets. */
export class RtspSession {
  /** The tracks that the camera announces, in its order. */
  readonly tracks: readonly RtspTrack[];
  readonly #options: RtspSessionOptions;
  readonly #receiver: Receiver;
  readonly #setup: TrackSetup;
  readonly #requests: SessionRequests;
  readonly #agreed: RtspTrack[] = [];
  #handlers: PlayHandlers | undefined;
  #isPlaying = false;
  #isPrompt = true;
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
      onFault: (error) => this.#finish(error),
    });
    this.#setup = new TrackSetup(this.#receiver, options);
    this.#requests = new SessionRequests({ ...options, sessionID: () => this.#setup.session?.id });
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
      await this.#requests.play(this.#agreed);
      if (this.#end)
        throw this.#end.error ?? signal.reason ?? new RtspError('lost', 'the session was closed');
    } catch (error) {
      void this.close();
      throw error;
    }
    this.#isPlaying = true;
    this.setPrompt(this.#isPrompt);
    this.#receiver.start(timeouts);
    const { id, timeoutMs } = this.#setup.session ?? { id: undefined, timeoutMs: defaultTimeoutMs };
    this.#keepAlive = new KeepAlive({ connection, url: this.#requests.url(), session: id, timeoutMs, log });
  }

  /** Whether somebody waits for what comes over TCP. Otherwise it is gathered and handed on about five times a second. */
  setPrompt(isPrompt: boolean): void {
    this.#isPrompt = isPrompt;
    if (this.#isPlaying && !this.#end) this.#options.connection.setReadPause(isPrompt ? 0 : gatherPauseMs);
  }

  /** Nobody waits for what comes over TCP for so many milliseconds. */
  rest(ms: number): void {
    if (this.#isPlaying && !this.#end) this.#options.connection.rest(ms);
  }

  /** Hands on what has come over TCP up to now, and was not read yet. */
  async readRest(): Promise<void> {
    this.setPrompt(true);
    for (let round = 0; round < restRounds && !this.#end; round += 1) await afterReading();
  }

  /** @returns what has come of a track, also after the end; undefined when it was not set up. */
  counts(track: RtspTrack): ReceptionCounts | undefined {
    return this.#receiver.counts(track);
  }

  /** Says goodbye to the camera, for a second at most, and gives the connection away. It never fails. */
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
    this.#options.connection.setReadPause(0);
    this.#closed = this.#tearDown();
    const handlers = this.#handlers;
    this.#handlers = undefined;
    if (this.#isPlaying) handlers?.onEnd(error);
  }

  async #tearDown(): Promise<void> {
    const { connection, address, reuse } = this.#options;
    const isSetUp = this.#agreed.length > 0 && !connection.isClosed;
    const isFree = isSetUp && (await this.#requests.tearDown());
    if (reuse && isFree) {
      reuse.keep(connection, address);
      return;
    }
    connection.close();
    await connection.closed;
  }
}
