import { BackOff } from '../../data/back-off.ts';
import { closeSocket } from '../../data/close-socket.ts';
import { goToLogin, loginEnded } from '../../data/request.ts';
import { openSocket } from '../../data/sockets.ts';
import { type LiveMessage, parseLiveMessage, type ShownStream } from './live-message.ts';

/** Why there is no connection. `lost` is followed by another attempt, as is `crowded`. */
export type Absence = 'opening' | 'lost' | 'crowded' | 'refused' | 'deleted';

export interface LiveHandlers {
  message(message: LiveMessage): void;
  media(bytes: ArrayBuffer): void;
  absent(why: Absence): void;
}

/** A connection on which nothing arrives for so long, although it should, is dead. */
const silenceMs = 12_000;
/** A connection that has lasted so long is a good one: the next loss is followed by a quick attempt. */
const soundMs = 5000;
const crowdedRetryMs = 20_000;

const reasons: Readonly<Record<number, Absence>> = { 4403: 'refused', 4404: 'deleted', 4429: 'crowded' };

/** The address of a stream without sound. */
function livePath(monitorID: string, stream: ShownStream): string {
  return `/api/monitor/${monitorID}/live?stream=${stream}`;
}

/** The live stream of one monitor over a WebSocket, which is opened again whenever it is lost, until `close`. */
export class LiveConnection {
  readonly #path: string;
  readonly #handlers: LiveHandlers;
  readonly #backOff = new BackOff();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #openedMs = 0;

  constructor(
    monitorID: string,
    { stream, sound }: { readonly stream: ShownStream; readonly sound: boolean },
    handlers: LiveHandlers,
  ) {
    this.#path = livePath(monitorID, stream) + (sound ? '&sound=1' : '');
    this.#handlers = handlers;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    if (this.#socket) closeSocket(this.#socket);
  }

  /** Closes the connection and opens it again a little later: what it brings cannot be played. */
  retry(): void {
    if (!this.#closed) this.#retry('lost');
  }

  /** Media is expected from now on, or not. */
  expectMedia(expected: boolean): void {
    clearTimeout(this.#watchdog);
    if (expected) this.#watchdog = setTimeout(() => this.#retry('lost'), silenceMs);
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = openSocket(this.#path);
    this.#socket = socket;
    this.#openedMs = performance.now();
    this.#handlers.absent('opening');
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (data instanceof ArrayBuffer) {
        if (performance.now() - this.#openedMs > soundMs) this.#backOff.reset();
        this.expectMedia(true);
        this.#handlers.media(data);
        return;
      }
      const message = parseLiveMessage(data);
      if (message) this.#handlers.message(message);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket || this.#closed) return;
      if (code === loginEnded) goToLogin();
      else this.#retry(reasons[code] ?? 'lost');
    };
  }

  #retry(why: Absence): void {
    clearTimeout(this.#watchdog);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) closeSocket(socket);
    this.#handlers.absent(why);
    if (why === 'refused' || why === 'deleted') return;
    const waitMs = why === 'crowded' ? crowdedRetryMs : this.#backOff.next();
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }
}
