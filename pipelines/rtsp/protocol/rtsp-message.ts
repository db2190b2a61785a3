/** A message that a camera sends between its packets: an answer, or a request of its own. */
export interface RtspMessage {
  /** Of an answer. */
  readonly status: number | undefined;
  /** Of a request. */
  readonly method: string | undefined;
  /** By name in lower case, in the order in which they came. A character per byte. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const knownMethods = new Set(['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER', 'ANNOUNCE']);
const answerLine = /^RTSP\/\d+\.\d+[ \t]+(\d{3})(?:[ \t]|$)/i;
const requestLine = /^([A-Z_]{3,32})[ \t]+\S+[ \t]+RTSP\/\d+\.\d+[ \t]*$/;

/** @returns where the body begins: after an empty line, whose lines may end in LF alone. */
export function endOfHead(data: Buffer, begin: number): number | undefined {
  for (let at = data.indexOf(newline, begin); at >= 0; at = data.indexOf(newline, at + 1)) {
    if (data[at + 1] === newline) return at + 2;
    if (data[at + 1] === carriageReturn && data[at + 2] === newline) return at + 3;
  }
  return undefined;
}

/** @param head start line and headers. @returns undefined for what is no RTSP message. */
export function parseHead(head: string): Omit<RtspMessage, 'body'> | undefined {
  const [start = '', ...lines] = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const status = answerLine.exec(start)?.[1];
  const method = requestLine.exec(start)?.[1];
  if (status === undefined && method === undefined) return undefined;
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const others = headers.get(name);
    if (others) others.push(value);
    else headers.set(name, [value]);
  }
  return { status: status === undefined ? undefined : Number(status), method, headers };
}

export function isSuccess({ status = 0 }: Pick<RtspMessage, 'status'>): boolean {
  return status >= 200 && status < 300;
}

/** @returns the first header of this name, given in lower case. */
export function header({ headers }: Pick<RtspMessage, 'headers'>, name: string): string | undefined {
  return headers.get(name)?.[0];
}

/** @returns undefined where the length is not one: the end of the message is then unknown. */
export function bodyLength(head: Pick<RtspMessage, 'headers'>): number | undefined {
  const value = header(head, 'content-length') ?? '0';
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** @param headers undefined values are left out. */
export function formatMessage(
  start: string,
  headers: Readonly<Record<string, string | number | undefined>>,
): Buffer {
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${start}\r\n${lines.join('')}\r\n`, 'latin1');
}

/** @returns the answer to what a camera asks: it may end the session if it hears nothing. */
export function answerTo(request: RtspMessage): Buffer {
  const isKnown = knownMethods.has(request.method ?? '');
  return formatMessage(isKnown ? 'RTSP/1.0 200 OK' : 'RTSP/1.0 501 Not Implemented', {
    CSeq: header(request, 'cseq'),
    Public: 'OPTIONS, GET_PARAMETER',
  });
}
