/** How a track's RTP times lie to the camera's clock. */
export interface SenderReport {
  /** Unix time in microseconds by the camera's clock, which may be set to anything. */
  readonly wallClockUs: number;
  /** In ticks, on the line of the packets' timestamps. */
  readonly timestamp: number;
}

/** The content of an RTCP packet; both are undefined if it holds neither. */
export interface ReadRtcp {
  readonly report?: SenderReport & { readonly ssrc: number; readonly ntpMiddle: number };
  readonly isBye: boolean;
}

/** One track's block of a receiver report (RFC 3550, 6.4.2). */
export interface ReceiverReport {
  readonly ownSsrc: number;
  readonly ssrc: number;
  /** Of 256, since the last report. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highestSequence: number;
  readonly jitter: number;
  /** The middle 32 bits of the last sender report's time, and how long ago that came in 1/65536 s; 0 without one. */
  readonly lastReport: number;
  readonly sinceLastReport: number;
}

const senderReport = 200;
const receiverReport = 201;
const sourceDescription = 202;
const bye = 203;
const ntpEpochSeconds = 2_208_988_800;

/** RTP's payload types 72 to 76 are kept free, so that the two can be told apart on one channel (RFC 5761). */
export function isRtcp(data: Buffer): boolean {
  return data.length >= 8 && data.readUInt8(1) >= 200 && data.readUInt8(1) <= 204;
}

/** Reads a compound packet as far as it is valid. */
export function parseRtcp(data: Buffer): ReadRtcp {
  let report: ReadRtcp['report'];
  let isBye = false;
  for (let at = 0; at + 8 <= data.length; at += 4 + 4 * data.readUInt16BE(at + 2)) {
    const type = data.readUInt8(at + 1);
    if (data.readUInt8(at) >> 6 !== 2) break;
    if (type === bye) isBye = true;
    if (type !== senderReport || at + 20 > data.length) continue;
    const seconds = data.readUInt32BE(at + 8);
    const fraction = data.readUInt32BE(at + 12);
    // Cameras that do not know the time send zeros.
    if (seconds === 0) continue;
    // The seconds wrap in 2036; before 1968 nobody sent any.
    const unixSeconds = seconds + (seconds < 2 ** 31 ? 2 ** 32 : 0) - ntpEpochSeconds;
    report = {
      wallClockUs: unixSeconds * 1_000_000 + Math.round((fraction * 1_000_000) / 2 ** 32),
      timestamp: data.readUInt32BE(at + 16),
      ssrc: data.readUInt32BE(at + 4),
      ntpMiddle: data.readUInt32BE(at + 10),
    };
  }
  return report ? { report, isBye } : { isBye };
}

/** @returns a receiver report and the description of its source that has to follow it. */
export function formatReceiverReport(report: ReceiverReport): Buffer {
  const name = Buffer.from('sentrybus');
  // Item type, length, name, and at least one zero up to a multiple of four.
  const itemBytes = Math.ceil((2 + name.length + 1) / 4) * 4;
  const data = Buffer.alloc(32 + 8 + itemBytes);
  data.writeUInt8(0x81, 0);
  data.writeUInt8(receiverReport, 1);
  data.writeUInt16BE(7, 2);
  data.writeUInt32BE(report.ownSsrc, 4);
  data.writeUInt32BE(report.ssrc, 8);
  data.writeUInt8(Math.min(report.fractionLost, 255), 12);
  data.writeUIntBE(Math.min(report.lost, 0x7fffff), 13, 3);
  data.writeUInt32BE(report.highestSequence % 2 ** 32, 16);
  data.writeUInt32BE(Math.min(Math.round(report.jitter), 2 ** 32 - 1), 20);
  data.writeUInt32BE(report.lastReport, 24);
  data.writeUInt32BE(Math.min(report.sinceLastReport, 2 ** 32 - 1), 28);
  data.writeUInt8(0x81, 32);
  data.writeUInt8(sourceDescription, 33);
  data.writeUInt16BE(1 + itemBytes / 4, 34);
  data.writeUInt32BE(report.ownSsrc, 36);
  data.writeUInt8(1, 40);
  data.writeUInt8(name.length, 41);
  name.copy(data, 42);
  return data;
}
