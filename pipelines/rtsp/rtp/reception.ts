import { randomInt } from 'node:crypto';
import type { RtspTrack } from '../protocol/sdp.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { formatReceiverReport, isRtcp, parseRtcp, type SenderReport } from './rtcp.ts';
import {
  type NewRtpPacket,
  parseRtp,
  type RtpPacket,
  sequenceDistance,
  TimestampUnwrapper,
} from './rtp-packet.ts';

export interface ReceptionHandlers {
  onPacket(packet: RtpPacket): void;
  onReport(report: SenderReport): void;
}

/** Counts of a track's packets since it began. */
export interface ReceptionCounts {
  readonly received: number;
  /** Never came, or too late. */
  readonly lost: number;
  /** Came twice, or after it had been given up. */
  readonly late: number;
  /** Neither RTP nor RTCP of this track. */
  readonly invalid: number;
}

/** A gap beyond this is no loss: the camera has begun to count anew. */
const maxGap = 3000;
const firstDynamicType = 96;

/** One track's packets: in order, counted, and with times that do not wrap. */
export class Reception {
  readonly track: RtspTrack;
  readonly #handlers: ReceptionHandlers;
  readonly #reorder: ReorderBuffer | undefined;
  readonly #times = new TimestampUnwrapper();
  readonly #ownSsrc = randomInt(1, 2 ** 32);
  readonly #counts = { received: 0, lost: 0, late: 0, invalid: 0 };
  #last: NewRtpPacket | undefined;
  #cycles = 0;
  #jitter = 0;
  #atLastReport = { received: 0, lost: 0 };
  #senderReport: { readonly ntpMiddle: number; readonly arrivedMs: number } | undefined;

  /** @param reorder whether packets may come out of order. */
  constructor(track: RtspTrack, reorder: boolean, handlers: ReceptionHandlers) {
    this.track = track;
    this.#handlers = handlers;
    if (reorder) {
      this.#reorder = new ReorderBuffer(
        (packet) => this.#deliver(packet),
        () => this.#counts.late++,
      );
    }
  }

  get counts(): ReceptionCounts {
    return { ...this.#counts };
  }

  /** Whether a packet's payload type is this track's. */
  isOwn(data: Buffer): boolean {
    return data.length > 1 && (data.readUInt8(1) & 0x7f) === this.track.payloadType;
  }

  /** @param data RTP or RTCP: cameras mix up the two channels. @returns whether it was RTP. */
  take(data: Buffer, arrivedMs: number): boolean {
    if (isRtcp(data)) {
      this.#takeReport(data, arrivedMs);
      return false;
    }
    const packet = parseRtp(data, arrivedMs);
    const type = this.track.payloadType;
    // Among the numbers that mean nothing by themselves cameras send others than they announce.
    const isOwn =
      packet?.payloadType === type || Math.min(packet?.payloadType ?? 0, type) >= firstDynamicType;
    if (!packet || !isOwn) {
      this.#counts.invalid++;
      return false;
    }
    if (this.#reorder) this.#reorder.push(packet);
    else this.#deliver(packet);
    return true;
  }

  /** @returns what the camera is to know of its reception; undefined before the first packet. */
  report(): Buffer | undefined {
    if (!this.#last) return undefined;
    const { received, lost } = this.#counts;
    const lostSince = lost - this.#atLastReport.lost;
    const expectedSince = received - this.#atLastReport.received + lostSince;
    this.#atLastReport = { received, lost };
    const since = this.#senderReport;
    return formatReceiverReport({
      ownSsrc: this.#ownSsrc,
      ssrc: this.#last.ssrc,
      fractionLost: expectedSince > 0 ? Math.floor((lostSince * 256) / expectedSince) : 0,
      lost,
      highestSequence: this.#cycles * 65_536 + this.#last.sequence,
      jitter: this.#jitter,
      lastReport: since?.ntpMiddle ?? 0,
      sinceLastReport: since ? Math.round(((performance.now() - since.arrivedMs) * 65_536) / 1000) : 0,
    });
  }

  close(): void {
    this.#reorder?.close();
  }

  #deliver(packet: NewRtpPacket): void {
    const last = this.#last;
    packet.timestamp = this.#times.unwrap(packet.timestamp);
    if (last?.ssrc === packet.ssrc) {
      const distance = sequenceDistance(last.sequence, packet.sequence);
      if (distance > 0 && distance <= maxGap) {
        packet.lostBefore = distance - 1;
        if (packet.sequence < last.sequence) this.#cycles++;
      }
      const elapsedTicks = ((packet.arrivedMs - last.arrivedMs) * this.track.clockRate) / 1000;
      const deviation = Math.abs(elapsedTicks - (packet.timestamp - last.timestamp));
      this.#jitter += (deviation - this.#jitter) / 16;
    }
    this.#last = packet;
    this.#counts.received++;
    this.#counts.lost += packet.lostBefore;
    this.#handlers.onPacket(packet);
  }

  #takeReport(data: Buffer, arrivedMs: number): void {
    const { report } = parseRtcp(data);
    if (!report) return;
    const { ntpMiddle, wallClockUs, timestamp } = report;
    this.#senderReport = { ntpMiddle, arrivedMs };
    this.#handlers.onReport({ wallClockUs, timestamp: this.#times.near(timestamp) });
  }
}
