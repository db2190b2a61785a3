import type { OutputFormat } from '../decoding/output-decoders.ts';

/** Origin of a model as configured. Plain data, because it is sent to a worker thread. */
export type ModelSource =
  | { readonly kind: 'default'; readonly name: string }
  | {
      /** A TensorFlow Lite file, or a folder with a TensorFlow.js graph model. */
      readonly kind: 'tflite' | 'tfjs';
      readonly name: string;
      /** An absolute path, or a URL of http or https. */
      readonly model: string;
      /** SHA-256 of the model in hexadecimal; required for a URL. */
      readonly sha256?: string;
      /** The list of labels: an absolute path, or a URL of http or https. */
      readonly labels?: string;
      /** Configured size of the model's input in pixels. */
      readonly size?: readonly [width: number, height: number];
      readonly format?: OutputFormat;
      /** Folder of the downloads. */
      readonly downloads: string;
    };
