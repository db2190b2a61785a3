/** A part of a picture. */
export interface SliceUnit {
  readonly kind: 'slice';
  /** It is the first part of its picture, or of a field of it. */
  readonly first: boolean;
  /** Decoding can begin here whatever else the picture holds: IDR, or any random access picture of H.265. */
  readonly keyFrame: boolean;
  /** It refers to no other picture. */
  readonly intra: boolean;
  /** It may refer to pictures that are shown later, so pictures may be sent in another order than shown. */
  readonly bidirectional: boolean;
  /** A picture may be made of two fields, each with a first slice. */
  readonly field: boolean;
}

/** The role of a NAL unit in its picture. */
export type NalUnit =
  | SliceUnit
  | { readonly kind: 'parameters' }
  /** It belongs to the slice after it. `recovery`: decoding can begin there. */
  | { readonly kind: 'prefix'; readonly recovery: boolean }
  /** It belongs to the slice before. */
  | { readonly kind: 'suffix' }
  /** Delimiters, padding, and what is not understood. */
  | { readonly kind: 'ignored' };

/** How many bytes of a NAL unit are looked at for its header and the beginning of a slice's header. */
export const headBytes = 64;

/** The video of a stream, as far as a file's header has to say it. */
export interface VideoConfig {
  readonly codec: 'h264' | 'h265';
  readonly width: number;
  readonly height: number;
  /** Content of the box `avcC` or `hvcC` (ISO/IEC 14496-15). It holds all parameter sets. */
  readonly record: Buffer;
  readonly parameterSets: readonly Buffer[];
}

/** Reads the NAL units of one codec, and keeps the parameter sets that it has seen. */
export interface NalCodec {
  readonly name: 'h264' | 'h265';
  /** @param head its first `headBytes` bytes, or all there are. Garbage is `ignored`. */
  read(head: Buffer): NalUnit;
  /** Stores a NAL unit that is `parameters`. @returns whether it is new, or another than before. */
  store(nal: Buffer): boolean;
  /** @returns undefined until all kinds of parameter sets have come. The same object until something changes. */
  readonly config: VideoConfig | undefined;
}
