import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { atEnd } from './cleanup.ts';
import { type FakeLogin, FakeLoginCheck } from './fake-login.ts';

/** A request as it came. Header names are in lower case, a character is a byte. */
export interface FakeRequest {
  readonly text: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
}

/** The answer with another value of a header, or without the header. */
export const withHeader = (answer: FakeAnswer, name: string, value: string | undefined): FakeAnswer => {
  const others = answer.headers.filter(([one]) => one.toLowerCase() !== name.toLowerCase());
  return { ...answer, headers: value === undefined ? others : [...others, [name, value]] };
};

/** What a camera sends: an answer, a packet of a channel, or bytes as they are. */
export type FakeItem = FakeAnswer | { readonly channel: number; readonly data: Uint8Array } | Uint8Array;

export interface FakeConnection {
  readonly socket: Socket;
  send(...items: readonly FakeItem[]): Promise<void>;
  /** By track, as SETUP asked for them: its two channels, or the client's two ports. */
  readonly channels: (readonly [number, number])[];
  readonly clientPorts: (readonly [number, number])[];
}

/** How it writes. */
export interface FakeStyle {
  readonly newline?: '\r\n' | '\n';
  readonly headerCase?: 'lower' | 'upper';
  /** Every header value goes on in a second line. */
  readonly fold?: boolean;
  /** Sent in pieces of so many bytes. */
  readonly chunkBytes?: number;
  /** Before everything that it sends. */
  readonly noise?: Uint8Array;
}

export interface FakeCameraOptions {
  readonly sdp?: string;
  readonly login?: FakeLogin;
  readonly style?: FakeStyle;
  readonly transports?: readonly ('tcp' | 'udp')[];
  /** Of the `Session` header. */
  readonly session?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** What it sends instead of, before or after the usual answer. */
  readonly answer?: (
    request: FakeRequest,
    usual: FakeAnswer,
    connection: FakeConnection,
  ) => readonly FakeItem[];
  /** Called when PLAY has been answered. */
  readonly play?: (connection: FakeConnection) => Promise<void> | void;
  /** Packets from the client: receiver reports. */
  readonly onPacket?: (channel: number, data: Buffer) => void;
}

export const oneVideo = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=Fake', 't=0 0', 'a=control:*', 'm=video 0 RTP/AVP 96'],
  ...['a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1', 'a=control:trackID=0', ''],
].join('\r\n');
export const videoAndAudio = `${oneVideo}${['m=audio 0 RTP/AVP 8', 'a=control:trackID=1', ''].join('\r\n')}`;

/** A camera in this process, on a free port of 127.0.0.1, that does what a test wants, however wrong. */
export class FakeCamera {
  readonly requests: FakeRequest[] = [];
  readonly #options: FakeCameraOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly login: FakeLoginCheck | undefined;

  private constructor(options: FakeCameraOptions) {
    this.#options = options;
    this.login = options.login && new FakeLoginCheck(options.login);
    this.#server = options.tls ? createTlsServer(options.tls) : createServer();
    this.#server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => this.#serve(socket));
  }

  /** It is gone when the test is over. */
  static async start(options: FakeCameraOptions = {}): Promise<FakeCamera> {
    const camera = new FakeCamera(options);
    camera.#server.listen(0, '127.0.0.1');
    await once(camera.#server, 'listening');
    atEnd(() => camera.stop());
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  url(userInfo = '', path = '/main'): string {
    return `rtsp${this.#options.tls ? 's' : ''}://${userInfo}127.0.0.1:${this.port}${path}`;
  }

  methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    const connection = new Connection(socket, this.#options.style ?? {});
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        if (received[0] === 0x24 && received.length >= 4 && received.length >= 4 + received.readUInt16BE(2)) {
          const end = 4 + received.readUInt16BE(2);
          this.#options.onPacket?.(received[1] ?? 0, received.subarray(4, end));
          received = received.subarray(end);
          continue;
        }
        const end = received[0] === 0x24 ? -1 : received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const request = parseRequest(received.toString('latin1', 0, end));
        received = received.subarray(end + 4);
        // An answer to what this camera asked.
        if (request.method.startsWith('RTSP/')) continue;
        this.requests.push(request);
        void this.#answer(request, connection);
      }
    });
  }

  async #answer(request: FakeRequest, connection: Connection): Promise<void> {
    const usual = this.#usual(request, connection);
    await connection.send(...(this.#options.answer?.(request, usual, connection) ?? [usual]));
    if (request.method === 'PLAY' && usual.status === 200) await this.#options.play?.(connection);
  }

  #usual({ method, url, headers }: FakeRequest, connection: Connection): FakeAnswer {
    const { sdp = oneVideo, session = 'abc', transports = ['tcp', 'udp'] } = this.#options;
    const cseq = ['CSeq', headers['cseq'] ?? '?'] as const;
    const verdict = this.login?.check(method, headers['authorization']) ?? 'right';
    if (verdict !== 'right') {
      const lines = this.login?.challenges(verdict) ?? [];
      return { status: 401, headers: [cseq, ...lines.map((line) => ['WWW-Authenticate', line] as const)] };
    }
    switch (method) {
      case 'DESCRIBE': {
        const base = ['Content-Base', `${url}/`] as const;
        return { status: 200, headers: [cseq, base, ['Content-Type', 'application/sdp']], body: sdp };
      }
      case 'SETUP': {
        const asked = headers['transport'] ?? '';
        const transport = asked.includes('TCP') ? 'tcp' : 'udp';
        if (!transports.includes(transport)) return { status: 461, headers: [cseq] };
        const [, first = 0, second = 0] = (/=(\d+)-(\d+)/.exec(asked) ?? []).map(Number);
        (transport === 'tcp' ? connection.channels : connection.clientPorts).push([first, second]);
        const answered = transport === 'tcp' ? asked : `${asked};server_port=7000-7001`;
        return { status: 200, headers: [cseq, ['Transport', answered], ['Session', session]] };
      }
      case 'OPTIONS':
        return { status: 200, headers: [cseq, ['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER']] };
      default:
        return { status: 200, headers: [cseq, ['Session', session]] };
    }
  }
}

class Connection implements FakeConnection {
  readonly socket: Socket;
  readonly channels: (readonly [number, number])[] = [];
  readonly clientPorts: (readonly [number, number])[] = [];
  readonly #style: FakeStyle;
  #queue: Promise<void> = Promise.resolve();

  constructor(socket: Socket, style: FakeStyle) {
    this.socket = socket;
    this.#style = style;
  }

  send(...items: readonly FakeItem[]): Promise<void> {
    const { noise = Buffer.alloc(0), chunkBytes = Number.POSITIVE_INFINITY } = this.#style;
    const bytes = Buffer.concat(items.flatMap((item) => [noise, encode(item, this.#style)]));
    this.#queue = this.#queue.then(async () => {
      for (let at = 0; at < bytes.length && this.socket.writable; at += chunkBytes) {
        this.socket.write(bytes.subarray(at, Math.min(at + chunkBytes, bytes.length)));
        if (chunkBytes < bytes.length) await turn();
      }
    });
    return this.#queue;
  }
}

function parseRequest(text: string): FakeRequest {
  const [start = '', ...lines] = text.split('\r\n');
  const [method = '', url = ''] = start.split(' ');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  return { text, method, url, headers: Object.fromEntries(headers) };
}

export function encode(item: FakeItem, style: FakeStyle = {}): Uint8Array {
  if (item instanceof Uint8Array) return item;
  if ('channel' in item) {
    const { channel, data } = item;
    return Buffer.concat([Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]), data]);
  }
  const { newline = '\r\n', headerCase, fold = false } = style;
  const named = (name: string) => {
    if (headerCase === undefined) return name;
    return headerCase === 'lower' ? name.toLowerCase() : name.toUpperCase();
  };
  const length =
    item.body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(item.body))] as const];
  const given = item.headers.some(([name]) => name.toLowerCase() === 'content-length');
  const lines = [...item.headers, ...(given ? [] : length)].map(
    ([name, value]) => `${named(name)}:${fold ? `${newline}\t` : ' '}${value}${newline}`,
  );
  const head = `RTSP/1.0 ${item.status} Whatever${newline}${lines.join('')}${newline}`;
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(item.body ?? '')]);
}

/** Sends datagrams to a port of 127.0.0.1, in order, from an address of loopback. */
export async function sendDatagrams(
  port: number,
  datagrams: readonly Uint8Array[],
  from = '127.0.0.1',
): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  for (const data of datagrams) {
    await new Promise((resolve) => socket.send(data, port, '127.0.0.1', resolve));
  }
  socket.close();
}
