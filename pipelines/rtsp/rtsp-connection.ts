import type { Socket } from 'node:net';
import type { RtspAddress } from '../../bus/base/rtsp-address.ts';
import { Login } from './login/rtsp-login.ts';
import { PendingRequests } from './pending-requests.ts';
import { RtspError, refusal, unanswered, unreadable } from './protocol/rtsp-error.ts';
import { answerTo, formatMessage, type RtspMessage } from './protocol/rtsp-message.ts';
import type { RtspTimeouts } from './protocol/rtsp-timeouts.ts';
import { WireReader } from './protocol/wire-reader.ts';
import { type ConnectedSocket, codeOf, connectSocket } from './socket/rtsp-connect.ts';
import type { SocketReader } from './socket/socket-reader.ts';

export interface RtspConnectionOptions {
  readonly timeouts: RtspTimeouts;
  /** Ends the connection at once, whatever it does, and without TEARDOWN. */
  readonly signal: AbortSignal;
  /** Takes sentences for a debug log. */
  readonly log: (sentence: string) => void;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** Without a login, with one, and once more when the nonce was used up. */
const maxTries = 3;
const maxUnsentBytes = 64 * 1024;

/** Requests and their answers over one TCP connection, and the interleaved packets between them. */
export class RtspConnection {
  /** Resolves with the reason when the connection is over. */
  readonly closed: Promise<RtspError>;
  /** Packets of other channels cannot be told from noise. */
  readonly channels = new Set<number>();
  /** Packets that were read together have one time of arrival, that of `performance.now()`. */
  onFrame: (channel: number, data: Buffer, arrivedMs: number) => void = () => {};
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #options: RtspConnectionOptions;
  readonly #login: Login;
  readonly #pending: PendingRequests;
  #signal: AbortSignal;
  readonly #abort = (): void => this.close();
  #sequence = 0;
  #end: RtspError | undefined;

  private constructor(
    { socket, reader }: ConnectedSocket,
    address: RtspAddress,
    options: RtspConnectionOptions,
  ) {
    this.#socket = socket;
    this.#reader = reader;
    this.#options = options;
    this.#login = new Login(address);
    this.#pending = new PendingRequests(options.timeouts.answerMs);
    this.#signal = options.signal;
    this.obey(options.signal);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#signal.removeEventListener('abort', this.#abort);
        resolve(this.#fail(new RtspError('lost', 'the camera closed the connection')));
      });
    });
    let arrivedMs = 0;
    const wire = new WireReader(this.channels, {
      onFrame: (channel, data) => {
        if (!this.#end) this.onFrame(channel, data, arrivedMs);
      },
      onMessage: (message) => this.#receive(message),
    });
    reader.onChunk = (chunk) => {
      arrivedMs = performance.now();
      try {
        if (!this.#end) wire.feed(chunk);
      } catch (error) {
        this.#fail(unreadable(error));
      }
    };
    socket.on('error', (error) =>
      this.#fail(new RtspError('lost', `the connection broke (${codeOf(error)})`)),
    );
  }

  /** @throws {RtspError} `unreachable`; the signal's reason when it aborts. */
  static async open(address: RtspAddress, options: RtspConnectionOptions): Promise<RtspConnection> {
    const connected = await connectSocket(address, options.timeouts.connectMs, options.signal);
    return new RtspConnection(connected, address, options);
  }

  /** From now on this signal ends it, and no other one. */
  obey(signal: AbortSignal): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort);
  }

  /** @param ms how long reading pauses after each round, answers included; 0: not at all. */
  setReadPause(ms: number): void {
    this.#reader.setPause(ms);
  }

  /** Reading pauses for so long once the present round is over, if no pause is longer. */
  rest(ms: number): void {
    this.#reader.rest(ms);
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  /**
   * Sends a request, logs in where the camera asks for it, and waits for the answer, whatever its status.
   *
   * @throws {RtspError} when there is none in time, or the login is refused; the signal's reason when it aborts.
   */
  async request(method: string, url: string, headers: Headers = {}): Promise<RtspMessage> {
    for (let tries = 1; ; tries++) {
      const way = this.#login.way;
      const authorization = this.#login.authorize(method, url);
      const answer = await this.#exchange(method, url, { ...headers, Authorization: authorization });
      if (answer.status !== 401) {
        if (way) this.#login.accept();
        return answer;
      }
      if (tries === maxTries) throw refusal(method, 401);
      this.#login.challenge(answer.headers.get('www-authenticate') ?? [], way);
    }
  }

  /** Sends an interleaved packet, unless the camera takes nothing any more. */
  send(channel: number, data: Buffer): void {
    this.#write(Buffer.concat([Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]), data]));
  }

  /** Nothing is heard any more after this. */
  close(): void {
    this.#fail(new RtspError('lost', 'the connection was closed'));
  }

  #exchange(method: string, url: string, headers: Headers): Promise<RtspMessage> {
    this.#signal.throwIfAborted();
    if (this.#end) throw unanswered(method, this.#end);
    const sequence = ++this.#sequence;
    const start = `${method} ${url} RTSP/1.0`;
    this.#socket.write(formatMessage(start, { CSeq: sequence, 'User-Agent': 'Sentrybus', ...headers }));
    return this.#pending.wait(sequence, method);
  }

  #receive(message: RtspMessage): void {
    if (message.status === undefined) this.#write(answerTo(message));
    // Provisional: the answer itself is still to come.
    else if (message.status >= 200 && !this.#pending.settle(message)) {
      this.#options.log('the camera answered something that it was not asked');
    }
  }

  /** Drops what a camera that takes nothing any more can do without. */
  #write(data: Buffer): void {
    if (!this.#end && this.#socket.writableLength <= maxUnsentBytes) this.#socket.write(data);
  }

  /** @returns the reason that counts, which is the first. */
  #fail(error: RtspError): RtspError {
    if (this.#end) return this.#end;
    this.#end = error;
    this.#socket.destroy();
    const signal = this.#signal;
    this.#pending.fail((method) => (signal.aborted ? signal.reason : unanswered(method, error)));
    return error;
  }
}
