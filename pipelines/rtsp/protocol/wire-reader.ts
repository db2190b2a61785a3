import { RtspError } from './rtsp-error.ts';
import { bodyLength, endOfHead, parseHead, type RtspMessage } from './rtsp-message.ts';

const maxHeadBytes = 32 * 1024;
const maxBodyBytes = 1024 * 1024;
/** In a row, before it is clear that nothing will come of it. */
const maxNoiseBytes = 1024 * 1024;
const dollar = 0x24;
const newline = 0x0a;
const frameHeadBytes = 4;
const rtpVersion = 2;
/** The shortest RTCP packet. */
const minPacketBytes = 8;

const methods = ['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER', 'ANNOUNCE', 'REDIRECT', 'TEARDOWN', 'PAUSE'];
const starts = ['RTSP/', 'HTTP/', ...methods.map((method) => `${method} `)];
const firstLetters = new Set(starts.map((start) => start.charCodeAt(0)));
const longestStart = Math.max(...starts.map(({ length }) => length));

/** Cameras number them from 0. */
const maxLikelyChannel = 31;
const incomplete = 0;
const noise = -1;

export interface WireHandlers {
  /** A packet, as a part of the chunk in which it came. */
  onFrame(channel: number, data: Buffer): void;
  onMessage(message: RtspMessage): void;
}

/**
 * Splits what a camera sends over TCP into messages and interleaved packets (RFC 2326, 10.12). Packets are not
 * copied, but for those that span two chunks. Whatever is neither is skipped up to the next packet or message.
 */
export class WireReader {
  readonly #handlers: WireHandlers;
  /** The channels that packets are expected on: after noise, only those end it. */
  readonly #channels: ReadonlySet<number>;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** How much has to be held before it is worth a look. */
  #neededBytes = 0;
  /** The end of a head is being looked for: nothing less than a new line can bring it. */
  #inHead = false;
  #noiseBytes = 0;

  constructor(channels: ReadonlySet<number>, handlers: WireHandlers) {
    this.#channels = channels;
    this.#handlers = handlers;
  }

  /** @throws {RtspError} `broken`, after which there is no going on. */
  feed(chunk: Buffer): void {
    let rest = chunk;
    while (this.#heldBytes > 0 && rest.length > 0) {
      const missing = this.#inHead ? rest.length : this.#neededBytes - this.#heldBytes;
      const enough = this.#inHead ? rest.includes(newline) : rest.length >= missing;
      const part = rest.subarray(0, missing);
      this.#held.push(part);
      this.#heldBytes += part.length;
      rest = rest.subarray(part.length);
      if (enough) this.#parse(Buffer.concat(this.#held));
      else if (this.#inHead && this.#heldBytes > maxHeadBytes) throw tooLong();
    }
    if (rest.length > 0) this.#parse(rest);
  }

  #parse(data: Buffer): void {
    let at = 0;
    this.#inHead = false;
    while (at < data.length) {
      const taken = this.#takeAt(data, at);
      if (taken === incomplete) break;
      if (taken === noise) {
        at++;
        if (++this.#noiseBytes > maxNoiseBytes) throw broken('sends what is not RTSP');
      } else {
        at += taken;
        this.#noiseBytes = 0;
      }
    }
    this.#heldBytes = data.length - at;
    this.#held = this.#heldBytes > 0 ? [data.subarray(at)] : [];
  }

  /** @returns the length of what it has handed on, `noise`, or `incomplete`; then it notes how much is needed. */
  #takeAt(data: Buffer, at: number): number {
    const first = data.readUInt8(at);
    if (first === dollar) return this.#takeFrame(data, at);
    if (!firstLetters.has(first)) return noise;
    const start = data.toString('latin1', at, at + longestStart);
    if (starts.some((one) => start.startsWith(one))) return this.#takeMessage(data, at);
    if (!starts.some((one) => one.startsWith(start))) return noise;
    return this.#wait(start.length + 1);
  }

  #takeFrame(data: Buffer, at: number): number {
    const left = data.length - at;
    if (left < frameHeadBytes + 1) return this.#wait(frameHeadBytes + 1);
    const channel = data.readUInt8(at + 1);
    const length = data.readUInt16BE(at + 2);
    const isPacket = data.readUInt8(at + frameHeadBytes) >> 6 === rtpVersion && length >= minPacketBytes;
    const isExpected = this.#channels.has(channel);
    const isLikely = isExpected || (this.#noiseBytes === 0 && channel <= maxLikelyChannel);
    if (!isPacket || !isLikely) return noise;
    const bytes = frameHeadBytes + length;
    if (left < bytes) return this.#wait(bytes);
    this.#handlers.onFrame(channel, data.subarray(at + frameHeadBytes, at + bytes));
    return bytes;
  }

  #takeMessage(data: Buffer, at: number): number {
    const bodyAt = endOfHead(data, at);
    if ((bodyAt ?? data.length) - at > maxHeadBytes) throw tooLong();
    if (bodyAt === undefined) {
      this.#inHead = true;
      return incomplete;
    }
    const text = data.toString('latin1', at, bodyAt).trimEnd();
    if (text.startsWith('HTTP/')) throw broken('is a web server at this port and does not speak RTSP');
    const head = parseHead(text);
    if (!head) return noise;
    const length = bodyLength(head);
    if (length === undefined) throw broken('sends an answer whose Content-Length is not a number');
    if (length > maxBodyBytes) throw broken(`sends an answer longer than ${maxBodyBytes} bytes`);
    const bytes = bodyAt - at + length;
    if (data.length - at < bytes) return this.#wait(bytes);
    this.#handlers.onMessage({ ...head, body: data.subarray(bodyAt, bodyAt + length) });
    return bytes;
  }

  #wait(bytes: number): number {
    this.#neededBytes = bytes;
    return incomplete;
  }
}

function tooLong(): RtspError {
  return broken(`sends an answer whose headers are longer than ${maxHeadBytes} bytes`);
}

function broken(predicate: string): RtspError {
  return new RtspError('broken', `the camera ${predicate}`);
}
