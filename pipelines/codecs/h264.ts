import { BitReader, withoutEmulation } from './bit-reader.ts';
import { highProfiles, parseH264Sps } from './h264-sps.ts';
import type { NalCodec, NalUnit, VideoConfig } from './nal-unit.ts';
import { ParameterSets } from './parameter-sets.ts';

/** NAL unit types (Rec. ITU-T H.264, table 7-1). */
const slice = 1;
const partitionA = 2;
const idr = 5;
const sei = 6;
const sps = 7;
const pps = 8;

const recoveryPoint = 6;
/** Of five bits, in which a configuration record counts them. */
const maxCountedSpss = 31;

/** H.264's NAL units and parameter sets. */
export class H264Codec implements NalCodec {
  readonly name = 'h264';
  readonly #sets = new ParameterSets();
  #progressive = true;
  #newestSps: Buffer | undefined;
  #config: VideoConfig | undefined;

  read(head: Buffer): NalUnit {
    const type = (head[0] ?? 0) & 0x1f;
    switch (type) {
      case slice:
      case partitionA:
      case idr:
        return this.#readSlice(head, type === idr);
      case sei:
        return { kind: 'prefix', recovery: hasRecoveryPoint(head) };
      case sps:
      case pps:
        return { kind: 'parameters' };
      case 3:
      case 4:
      case 20:
      case 21:
        return { kind: 'suffix' };
      // Extensions of the SPS, and prefixes of slices.
      case 13:
      case 14:
      case 15:
        return { kind: 'prefix', recovery: false };
      default:
        return { kind: 'ignored' };
    }
  }

  store(nal: Buffer): boolean {
    try {
      if (((nal[0] ?? 0) & 0x1f) === sps) {
        const { id, progressive } = parseH264Sps(nal);
        this.#progressive = progressive;
        const isNew = this.#changed(this.#sets.put('sps', id, nal));
        // One that was not taken is in no record.
        this.#newestSps = this.#sets.get('sps', id) ?? this.#newestSps;
        return isNew;
      }
      const id = new BitReader(withoutEmulation(nal.subarray(1, 16))).unsigned();
      return id < 256 && this.#changed(this.#sets.put('pps', id, nal));
    } catch {
      return false;
    }
  }

  get config(): VideoConfig | undefined {
    this.#config ??= this.#makeConfig();
    return this.#config;
  }

  #changed(changed: boolean): boolean {
    if (changed) this.#config = undefined;
    return changed;
  }

  #readSlice(head: Buffer, isIdr: boolean): NalUnit {
    try {
      const reader = new BitReader(withoutEmulation(head.subarray(1)));
      const first = reader.unsigned() === 0;
      // Table 7-6: P, B, I, SP, SI, and the same again for "all slices of this picture".
      const type = reader.unsigned() % 5;
      const intra = type === 2 || type === 4;
      const bidirectional = type === 1;
      return { kind: 'slice', first, keyFrame: isIdr, intra, bidirectional, field: !this.#progressive };
    } catch {
      return { kind: 'ignored' };
    }
  }

  #makeConfig(): VideoConfig | undefined {
    const [spss, ppss] = [this.#sets.ofKind('sps'), this.#sets.ofKind('pps')];
    const main = this.#newestSps;
    if (!main || ppss.length === 0) return undefined;
    const parsed = parseH264Sps(main);
    const counted = (sets: Buffer[]) =>
      sets.flatMap((set) => [Buffer.from([set.length >> 8, set.length & 0xff]), set]);
    // ISO/IEC 14496-15, section 5.3.3.1: lengths before NAL units take four bytes.
    const record = Buffer.concat([
      Buffer.from([1, ...main.subarray(1, 4), 0xff, 0xe0 | Math.min(spss.length, maxCountedSpss)]),
      ...counted(spss.slice(0, maxCountedSpss)),
      Buffer.from([ppss.length]),
      ...counted(ppss),
      ...(highProfiles.has(parsed.profile)
        ? [
            Buffer.from([
              0xfc | parsed.chromaFormat,
              0xf8 | (parsed.bitDepthLuma - 8),
              0xf8 | (parsed.bitDepthChroma - 8),
              0,
            ]),
          ]
        : []),
    ]);
    const { width, height } = parsed;
    return { codec: 'h264', width, height, record, parameterSets: [...spss, ...ppss] };
  }
}

/** Whether one of the messages in it is a recovery point (section D.1.8). */
function hasRecoveryPoint(head: Buffer): boolean {
  for (let at = 1; at + 1 < head.length; ) {
    let type = 0;
    for (; head[at] === 0xff; at += 1) type += 255;
    type += head[at++] ?? 0;
    let size = 0;
    for (; head[at] === 0xff; at += 1) size += 255;
    size += head[at++] ?? 0;
    if (type === recoveryPoint) return true;
    at += size;
  }
  return false;
}
