import { BitReader, withoutEmulation } from './bit-reader.ts';
import { parseH265Sps } from './h265-sps.ts';
import type { NalCodec, NalUnit, VideoConfig } from './nal-unit.ts';
import { ParameterSets } from './parameter-sets.ts';

/** NAL unit types (Rec. ITU-T H.265, table 7-1). */
const vps = 32;
const sps = 33;
const pps = 34;
const prefixSei = 39;
const suffixSei = 40;
const types = { vps, sps, pps } as const;

/** The fields of a PPS that are needed to find the type of a slice. */
interface Pps {
  readonly dependentSlices: boolean;
  readonly outputFlag: boolean;
  readonly extraBits: number;
}

/** H.265's NAL units and parameter sets. */
export class H265Codec implements NalCodec {
  readonly name = 'h265';
  readonly #sets = new ParameterSets();
  readonly #pps = new Map<number, Pps>();
  #newestSps: Buffer | undefined;
  #config: VideoConfig | undefined;

  read(head: Buffer): NalUnit {
    const type = ((head[0] ?? 0) >> 1) & 0x3f;
    if (head.length < 3) return { kind: 'ignored' };
    if (type < 10 || (type >= 16 && type <= 21)) return this.#readSlice(head, type);
    if (type >= vps && type <= pps) return { kind: 'parameters' };
    if (type === prefixSei) return { kind: 'prefix', recovery: false };
    if (type === suffixSei) return { kind: 'suffix' };
    return { kind: 'ignored' };
  }

  store(nal: Buffer): boolean {
    try {
      switch (((nal[0] ?? 0) >> 1) & 0x3f) {
        case vps:
          return this.#changed(this.#sets.put('vps', (nal[2] ?? 0) >> 4, nal));
        case sps:
          return this.#storeSps(nal);
        default:
          return this.#storePps(nal);
      }
    } catch {
      return false;
    }
  }

  get config(): VideoConfig | undefined {
    this.#config ??= this.#makeConfig();
    return this.#config;
  }

  #storeSps(nal: Buffer): boolean {
    const { id } = parseH265Sps(nal);
    const isNew = this.#changed(this.#sets.put('sps', id, nal));
    // One that was not taken is in no record.
    this.#newestSps = this.#sets.get('sps', id) ?? this.#newestSps;
    return isNew;
  }

  #storePps(nal: Buffer): boolean {
    const reader = new BitReader(withoutEmulation(nal.subarray(2, 32)));
    const id = reader.unsigned();
    if (id > 63) return false;
    reader.unsigned();
    const [dependentSlices, outputFlag] = [reader.flag(), reader.flag()];
    this.#pps.set(id, { dependentSlices, outputFlag, extraBits: reader.bits(3) });
    return this.#changed(this.#sets.put('pps', id, nal));
  }

  #changed(changed: boolean): boolean {
    if (changed) this.#config = undefined;
    return changed;
  }

  #readSlice(head: Buffer, type: number): NalUnit {
    const keyFrame = type >= 16 && type <= 21;
    try {
      const reader = new BitReader(withoutEmulation(head.subarray(2)));
      const first = reader.flag();
      const sliceType = first ? this.#sliceType(reader, keyFrame) : undefined;
      // Table 7-7: B, P, I.
      const bidirectional = sliceType === 0;
      return { kind: 'slice', first, keyFrame, intra: sliceType === 2, bidirectional, field: false };
    } catch {
      return { kind: 'ignored' };
    }
  }

  /** Of the first slice of a picture (section 7.3.6.1). */
  #sliceType(reader: BitReader, randomAccess: boolean): number | undefined {
    if (randomAccess) reader.flag();
    const pps = this.#pps.get(reader.unsigned());
    if (!pps) return undefined;
    reader.skipBits(pps.extraBits);
    return reader.unsigned();
  }

  #makeConfig(): VideoConfig | undefined {
    const arrays = Object.entries(types).map(([kind, type]) => ({ type, sets: this.#sets.ofKind(kind) }));
    const main = this.#newestSps;
    if (!main || arrays.some(({ sets }) => sets.length === 0)) return undefined;
    const parsed = parseH265Sps(main);
    const { temporalLayers, temporalNesting, chromaFormat, bitDepthLuma, bitDepthChroma } = parsed;
    const counted = (value: number) => Buffer.from([value >> 8, value & 0xff]);
    // ISO/IEC 14496-15, section 8.3.3.1: lengths before NAL units take four bytes.
    const record = Buffer.concat([
      Buffer.from([1]),
      parsed.profileTierLevel,
      Buffer.from([
        0xf0,
        0,
        0xfc,
        0xfc | chromaFormat,
        0xf8 | (bitDepthLuma - 8),
        0xf8 | (bitDepthChroma - 8),
      ]),
      Buffer.from([0, 0, (temporalLayers << 3) | (temporalNesting ? 4 : 0) | 3, arrays.length]),
      ...arrays.flatMap(({ type, sets }) => [
        Buffer.from([0x80 | type]),
        counted(sets.length),
        ...sets.flatMap((set) => [counted(set.length), set]),
      ]),
    ]);
    const { width, height } = parsed;
    const parameterSets = arrays.flatMap(({ sets }) => sets);
    return { codec: 'h265', width, height, record, parameterSets };
  }
}
