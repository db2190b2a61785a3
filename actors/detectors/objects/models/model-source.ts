import type { OutputFormat } from '../decoding/output-decoders.ts';

/** Where a model comes from, as the user wrote it. Plain data: it is handed to a worker thread. */
export type ModelSource =
  | { readonly kind: 'default'; readonly name: string }
  | {
      /** A TensorFlow Lite file, or a folder with a TensorFlow.js graph model. */
      readonly kind: 'tflite' | 'tfjs';
      readonly name: string;
      /** An absolute path, or a URL of http or https. */
      readonly model: string;
      /** The model's checksum. A URL has one. */
      readonly sha256?: string;
      /** Where the labels are; the same kinds of place. */
      readonly labels?: string;
      /** What the user says the model's input is. */
      readonly size?: readonly [width: number, height: number];
      readonly format?: OutputFormat;
      /** Where downloads are kept. */
      readonly downloads: string;
    };
