/** One stream of a camera's, as its description announces it. What comes may differ. */
export interface RtspTrack {
  /** `video`, `audio`, `application` (metadata), … */
  readonly media: string;
  /** In capitals: `H264`, `H265`, `JPEG`, `AAC`, `PCMA`, `PCMU`, `OPUS`, `VND.ONVIF.METADATA`, … `UNKNOWN` without a name. */
  readonly codec: string;
  readonly payloadType: number;
  /** Ticks per second of the RTP timestamps. */
  readonly clockRate: number;
  /** Of audio. */
  readonly channels: number | undefined;
  /** By name in lower case; only values of letters, digits and `+/=,._:-` are in it. */
  readonly fmtp: ReadonlyMap<string, string>;
  /** As the description has it. */
  readonly control: string;
}

export interface SessionDescription {
  readonly tracks: readonly RtspTrack[];
  /** For the session as a whole; empty where there is none. */
  readonly control: string;
}

const maxTracks = 16;
const maxLines = 2000;
const maxParameterLength = 8192;

/** RFC 3551's fixed payload types, for descriptions without an `rtpmap`. */
const fixedFormats: Readonly<Record<number, string>> = {
  0: 'PCMU/8000',
  2: 'G726-32/8000',
  3: 'GSM/8000',
  4: 'G723/8000',
  5: 'DVI4/8000',
  6: 'DVI4/16000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  10: 'L16/44100/2',
  11: 'L16/44100/1',
  14: 'MPA/90000',
  15: 'G728/8000',
  18: 'G729/8000',
  26: 'JPEG/90000',
  32: 'MPV/90000',
  33: 'MP2T/90000',
};
const codecs: Readonly<Record<string, string>> = { 'MPEG4-GENERIC': 'AAC', HEVC: 'H265', 'H.264': 'H264' };

interface Section {
  readonly media: string;
  readonly payloadType: number;
  /** By name, the first of each. */
  readonly attributes: Map<string, string>;
}

/** Reads the answer to DESCRIBE. What cannot be understood in it is skipped. */
export function parseSdp(text: string): SessionDescription {
  const session: Section = { media: '', payloadType: -1, attributes: new Map() };
  const sections: Section[] = [];
  let current: Section | undefined = session;
  for (const line of text.split(/[\r\n]+/, maxLines)) {
    const value = line.slice(2).trim();
    if (/^m=/i.test(line)) {
      current = sections.length < maxTracks ? readMedia(value) : undefined;
      if (current) sections.push(current);
    } else if (/^a=/i.test(line) && current) {
      readAttribute(current, value);
    }
  }
  return { tracks: sections.map(toTrack), control: session.attributes.get('control') ?? '' };
}

/** `video 0 RTP/AVP 96`; of several formats the first, which the camera prefers. */
function readMedia(value: string): Section | undefined {
  const [, media = '', protocol = '', format] =
    /^([A-Za-z]{1,32})\s+\S+\s+(\S+)\s+(\d{1,3})(?:\s|$)/.exec(value) ?? [];
  const payloadType = Number(format ?? -1);
  if (!/RTP/i.test(protocol) || payloadType < 0 || payloadType > 127) return undefined;
  return { media: media.toLowerCase(), payloadType, attributes: new Map() };
}

/** `rtpmap` and `fmtp` begin with the format that they are of. */
function readAttribute({ payloadType, attributes }: Section, text: string): void {
  const [, name = '', rest = ''] = /^([A-Za-z0-9-]{1,64}):?(.*)$/.exec(text) ?? [];
  const key = name.toLowerCase();
  if (attributes.has(key)) return;
  if (key !== 'rtpmap' && key !== 'fmtp') {
    attributes.set(key, rest.trim());
    return;
  }
  const [, format, value = ''] = /^\s*(\d{1,3})\s+(.*)$/.exec(rest) ?? [];
  if (Number(format) === payloadType) attributes.set(key, value.trim());
}

function toTrack({ media, payloadType, attributes }: Section): RtspTrack {
  const format = attributes.get('rtpmap') ?? fixedFormats[payloadType] ?? '';
  const [, name = 'UNKNOWN', rate, channels] =
    /^([A-Za-z0-9._+-]{1,64})\s*\/\s*(\d{1,9})(?:\s*\/\s*(\d{1,2}))?/.exec(format) ?? [];
  const codec = name.toUpperCase();
  return {
    media,
    codec: codecs[codec] ?? codec,
    payloadType,
    clockRate: Number(rate ?? 0) || (media === 'audio' ? 8000 : 90_000),
    channels: media === 'audio' ? Number(channels ?? 0) || 1 : undefined,
    fmtp: parseParameters(attributes.get('fmtp') ?? ''),
    control: attributes.get('control') ?? '',
  };
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const value = part.slice(equals + 1).trim();
    const valid = /^[a-z0-9-]{1,64}$/.test(name) && /^[A-Za-z0-9+/=,._:-]+$/.test(value);
    if (valid && value.length <= maxParameterLength && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}
