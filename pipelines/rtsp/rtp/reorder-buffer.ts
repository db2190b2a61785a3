import { type NewRtpPacket, sequenceDistance } from './rtp-packet.ts';

/** A packet that is missing is waited for as long as this. In order, packets pass at once. */
const maxWaitMs = 200;
const maxHeldPackets = 512;
/** Further ahead or behind, the camera has begun to count anew (RFC 3550, A.1). */
const maxGap = 3000;
const maxLateness = 100;

/** Brings the packets of a lossy transport into their order. */
export class ReorderBuffer {
  readonly #deliver: (packet: NewRtpPacket) => void;
  readonly #onLate: () => void;
  /** By sequence number, in the order of their arrival. */
  readonly #held = new Map<number, NewRtpPacket>();
  #next: number | undefined;
  #ssrc = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Packets pushed so far. */
  #pushed = 0;

  /** @param onLate a packet came twice or after it had been given up, and is dropped. */
  constructor(deliver: (packet: NewRtpPacket) => void, onLate: () => void) {
    this.#deliver = deliver;
    this.#onLate = onLate;
  }

  push(packet: NewRtpPacket): void {
    this.#pushed += 1;
    const distance = this.#next === undefined ? 0 : sequenceDistance(this.#next, packet.sequence);
    if (distance > maxGap || distance < -maxLateness || packet.ssrc !== this.#ssrc) {
      while (this.#held.size > 0) this.#skip();
      this.#ssrc = packet.ssrc;
      this.#pass(packet);
    } else if (distance < 0 || this.#held.has(packet.sequence)) {
      this.#onLate();
    } else if (distance === 0) {
      this.#pass(packet);
    } else {
      this.#held.set(packet.sequence, packet);
      if (this.#held.size > maxHeldPackets) this.#skip();
      this.#wait();
    }
  }

  /** Drops what is held. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#held.clear();
  }

  /** Delivers a packet and all that follow it without a gap. */
  #pass(packet: NewRtpPacket): void {
    let next: NewRtpPacket | undefined = packet;
    while (next) {
      this.#held.delete(next.sequence);
      this.#next = (next.sequence + 1) & 0xffff;
      this.#deliver(next);
      next = this.#held.get(this.#next);
    }
  }

  /** Gives up what is missing before the first packet held. */
  #skip(): void {
    const from = this.#next ?? 0;
    let first: NewRtpPacket | undefined;
    for (const packet of this.#held.values()) {
      if (!first || sequenceDistance(from, packet.sequence) < sequenceDistance(from, first.sequence))
        first = packet;
    }
    if (first) this.#pass(first);
  }

  #wait(): void {
    if (this.#timer !== undefined) return;
    const [oldest] = this.#held.values();
    if (!oldest) return;
    const leftMs = Math.max(oldest.arrivedMs + maxWaitMs - performance.now(), 1);
    this.#timer = setTimeout(() => this.#expireOnceRead(), leftMs);
  }

  /** After a moment in which the process was too busy to read, what is missing may wait in the socket. */
  #expireOnceRead(): void {
    const pushed = this.#pushed;
    setImmediate(() => {
      if (this.#pushed === pushed) this.#expire();
      else this.#expireOnceRead();
    });
  }

  #expire(): void {
    this.#timer = undefined;
    if (this.#isClosed) return;
    for (;;) {
      const [oldest] = this.#held.values();
      if (!oldest || performance.now() - oldest.arrivedMs < maxWaitMs) break;
      this.#skip();
    }
    this.#wait();
  }
}
