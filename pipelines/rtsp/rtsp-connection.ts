import type { Socket } from 'node:net';
import type { RtspAddress } from './address.ts';
import { causeOf, connectSocket } from './connect.ts';
import { Login } from './login.ts';
import { RtspError, refusal } from './rtsp-error.ts';
import { formatMessage, header, type RtspMessage } from './rtsp-message.ts';
import { WireReader } from './wire-reader.ts';

export interface RtspConnectionOptions {
  readonly timeouts: { readonly connectMs: number; readonly answerMs: number };
  /** Ends the connection at once, whatever it does, and without TEARDOWN. */
  readonly signal: AbortSignal;
  /** Takes sentences for a debug log. */
  readonly log: (sentence: string) => void;
}

type Headers = Readonly<Record<string, string | undefined>>;

interface Pending {
  readonly method: string;
  readonly resolve: (answer: RtspMessage) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** The first login, one more for a nonce that is used up, and the request without any before them. */
const maxTries = 3;
/** Beyond this a camera takes nothing any more, and what it misses are keep-alives and reports. */
const maxUnsentBytes = 64 * 1024;
const answeredMethods = new Set(['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER', 'ANNOUNCE']);

/** Requests and their answers over one TCP connection, and the interleaved packets between them. */
export class RtspConnection {
  /** Resolves with the reason when the connection is over. */
  readonly closed: Promise<RtspError>;
  /** Packets of other channels are not told from noise where there is any. */
  readonly channels = new Set<number>();
  onFrame: (channel: number, data: Buffer) => void = () => {};
  readonly #socket: Socket;
  readonly #options: RtspConnectionOptions;
  readonly #login: Login;
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;
  #strays = 0;
  #end: RtspError | undefined;

  private constructor(socket: Socket, address: RtspAddress, options: RtspConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#login = new Login(address);
    const abort = () => this.close();
    options.signal.addEventListener('abort', abort);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        options.signal.removeEventListener('abort', abort);
        const end = this.#fail(new RtspError('lost', 'the camera closed the connection'));
        resolve(end);
      });
    });
    const reader = new WireReader(this.channels, {
      onFrame: (channel, data) => {
        if (!this.#end) this.onFrame(channel, data);
      },
      onMessage: (message) => this.#receive(message),
    });
    socket.on('data', (chunk) => {
      try {
        if (!this.#end) reader.feed(chunk);
      } catch (error) {
        if (!(error instanceof RtspError)) throw error;
        this.#fail(error);
      }
    });
    socket.on('error', (error) =>
      this.#fail(new RtspError('lost', `the connection broke: ${causeOf(error)}`)),
    );
  }

  /** @throws {RtspError} `unreachable`; the signal's reason when it aborts. */
  static async open(address: RtspAddress, options: RtspConnectionOptions): Promise<RtspConnection> {
    const socket = await connectSocket(address, options.timeouts.connectMs, options.signal);
    return new RtspConnection(socket, address, options);
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
      const authorization = this.#login.authorize(method, url);
      const answer = await this.#exchange(method, url, { ...headers, Authorization: authorization });
      if (answer.status !== 401) {
        if (authorization !== undefined) this.#login.accept();
        return answer;
      }
      if (tries === maxTries) throw refusal(method, 401);
      this.#login.challenge(answer.headers.get('www-authenticate') ?? []);
    }
  }

  /** Sends an interleaved packet, unless the camera takes nothing any more. */
  send(channel: number, data: Buffer): void {
    if (this.#end || this.#socket.writableLength > maxUnsentBytes) return;
    const head = Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]);
    this.#socket.write(Buffer.concat([head, data]));
  }

  /** Nothing is heard any more after this. */
  close(): void {
    this.#fail(new RtspError('lost', 'the connection was closed'));
  }

  #exchange(method: string, url: string, headers: Headers): Promise<RtspMessage> {
    this.#options.signal.throwIfAborted();
    if (this.#end) throw this.#unanswered(method, this.#end);
    const sequence = ++this.#sequence;
    const { answerMs } = this.#options.timeouts;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(sequence);
        const besides = this.#strays > 0 ? ', only other requests or none that was asked' : '';
        const text = `the camera did not answer ${method} within ${answerMs / 1000} s${besides}`;
        reject(new RtspError('unreachable', text));
      }, answerMs);
      this.#pending.set(sequence, { method, resolve, reject, timer });
      const start = `${method} ${url} RTSP/1.0`;
      this.#socket.write(formatMessage(start, { CSeq: sequence, 'User-Agent': 'Sentrybus', ...headers }));
    });
  }

  #receive(message: RtspMessage): void {
    if (message.status === undefined) this.#answer(message);
    // Provisional: the answer itself is still to come.
    else if (message.status >= 200) this.#settle(message);
  }

  #settle(answer: RtspMessage): void {
    const named = header(answer, 'cseq');
    const [only] = this.#pending.keys();
    const sequence =
      named === undefined && this.#pending.size === 1 ? only : Number.parseInt(named ?? '', 10);
    const pending = sequence === undefined ? undefined : this.#pending.get(sequence);
    if (sequence === undefined || !pending) {
      if (++this.#strays === 1) this.#options.log('the camera answered something that it was not asked');
      return;
    }
    this.#pending.delete(sequence);
    clearTimeout(pending.timer);
    pending.resolve(answer);
  }

  /** A camera may ask, too, and may end the session if it hears nothing. */
  #answer(request: RtspMessage): void {
    if (this.#end || this.#socket.writableLength > maxUnsentBytes) return;
    const start = answeredMethods.has(request.method ?? '')
      ? 'RTSP/1.0 200 OK'
      : 'RTSP/1.0 501 Not Implemented';
    this.#socket.write(
      formatMessage(start, { CSeq: header(request, 'cseq'), Public: 'OPTIONS, GET_PARAMETER' }),
    );
  }

  /** @returns the reason that counts, which is the first. */
  #fail(error: RtspError): RtspError {
    if (this.#end) return this.#end;
    this.#end = error;
    this.#socket.destroy();
    for (const { method, reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#options.signal.aborted ? this.#options.signal.reason : this.#unanswered(method, error));
    }
    this.#pending.clear();
    return error;
  }

  /** While nothing plays yet, a connection that ends is a camera that cannot be reached. */
  #unanswered(method: string, { code, message }: RtspError): RtspError {
    if (code !== 'lost') return new RtspError(code, message);
    return new RtspError('unreachable', `${message} before it answered ${method}`);
  }
}
