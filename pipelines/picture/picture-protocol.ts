/** The messages of the process that makes one picture: plain data that travels over IPC. */

export interface PictureOrder {
  /** The recording's file. */
  readonly path: string;
  readonly codec: 'h264' | 'h265';
  /** Content of the box `avcC` or `hvcC`, in hexadecimal digits. */
  readonly record: string;
  /** Encoded frames in the order of decoding, from a key frame on; after the wanted one as many as may be shown before it. */
  readonly samples: readonly PictureSample[];
  /** The frame that is shown at this time is wanted: nanoseconds, as the samples'. */
  readonly shownNs: number;
}

export interface PictureSample {
  /** In the file, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  /** When it is shown, in nanoseconds. */
  readonly timeNs: number;
}

export interface PictureReport {
  /** JPEG in base64; null if it could not be decoded. */
  readonly picture: string | null;
}
