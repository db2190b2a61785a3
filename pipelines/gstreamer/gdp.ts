/** One packet of the GStreamer Data Protocol 1.0, as `gdppay` makes them. */
export interface GdpPacket {
  /** The caps of the buffers that follow: `video/x-raw, width=(int)320, …`. */
  readonly caps?: string;
  readonly data?: Buffer;
  /** Presentation time in nanoseconds; meaningless with caps. */
  readonly timeNs: number;
}

/** Before each payload. */
const headerBytes = 62;
const bufferType = 1;
const capsType = 2;

/**
 * A sink of a launch string, for `readGdp`. gdppay puts the time of a buffer before it. The caps are taken off: the addon
 * would make them, and the whole header in them, anew for every buffer. Nothing may come for long, and the pipeline must
 * not wait for it.
 */
export function gdpSink(name: string): string {
  return `gdppay ! capssetter replace=true caps=application/x-bytes ! appsink name=${name} sync=false async=false wait-on-eos=false max-buffers=256`;
}

/** @returns undefined for what is neither a buffer nor caps. */
export function readGdp(packet: Buffer): GdpPacket | undefined {
  if (packet.length < headerBytes) return undefined;
  const type = packet.readUInt16BE(4);
  const payload = packet.subarray(headerBytes, headerBytes + packet.readUInt32BE(6));
  if (type === capsType) return { caps: payload.toString('latin1'), timeNs: 0 };
  return type === bufferType ? { data: payload, timeNs: Number(packet.readBigUInt64BE(10)) } : undefined;
}
