import { createRequire } from 'node:module';

/** The only file that touches the GStreamer addon, which comes without types and with the traps noted here. */

type Value = string | number | boolean | null | undefined;

interface NativeElement {
  [property: string]: Value | NativePull | NativePush;
  pull: NativePull;
  push: NativePush;
}
type NativePull = (callback: (data: Buffer | null | undefined) => void) => void;

/** `time` is in nanoseconds, in eight bytes. */
type NativePush = (data: Buffer, time: Buffer) => void;

interface NativePipeline {
  'auto-flush-bus': boolean;
  play(): void;
  stop(): void;
  sendEOS(): void;
  findChild(name: string): NativeElement | undefined;
  pollBus(callback: (message: Readonly<Record<string, Value>>) => void): void;
}

interface Addon {
  readonly Pipeline: new (launch: string) => NativePipeline;
}

let addon: Addon | undefined;

/** Loads GStreamer with the first pipeline: most processes never have one. */
function native(): Addon {
  addon ??= createRequire(import.meta.url)('gstreamer-superficial') as Addon;
  return addon;
}

/** A pipeline for GStreamer to build. */
export interface PipelineDescription {
  /** In gst-launch's language. It is made of constants and numbers alone: no user's text becomes a part of it. */
  readonly launch: string;
  /** Text that is set on the finished elements, by element and property. */
  readonly properties: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The messages of a pipeline that are used here. */
export interface PipelineMessage {
  readonly type: 'error' | 'warning';
  /** The name of the element that says it. */
  readonly element: string;
  readonly text: string;
  /** For developers: file, function, cause. */
  readonly debug: string;
}

/** GStreamer cannot build the pipeline: an element is missing. */
class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code = 'pipeline_not_built';
}

/** A GStreamer pipeline, played once. */
export class Pipeline {
  readonly #native: NativePipeline;
  /** Each look-up would leak a reference. */
  readonly #elements = new Map<string, NativeElement>();

  /** @throws {PipelineError} */
  constructor({ launch, properties }: PipelineDescription) {
    try {
      this.#native = new (native().Pipeline)(launch);
    } catch (cause) {
      throw new PipelineError((cause as Error).message, { cause });
    }
    // The last messages of a stopping pipeline wake the thread that waits for them; flushed, it would wait for ever.
    this.#native['auto-flush-bus'] = false;
    for (const [element, values] of Object.entries(properties)) {
      for (const [property, value] of Object.entries(values)) this.set(element, property, value);
    }
  }

  /** Sets a property. Numbers pass through 32-bit floats. */
  set(element: string, property: string, value: string | boolean | number): void {
    this.#element(element)[property] = value;
  }

  /** @param listener gets what happens from now on. */
  play(listener: (message: PipelineMessage) => void): void {
    this.#native.play();
    this.#native.pollBus((raw) => {
      const message = readMessage(raw);
      if (message) listener(message);
    });
  }

  /**
   * Calls `listener` with each buffer of a sink of the playing pipeline. Only one is asked for at a time: each
   * request waits in a thread of libuv's small pool.
   *
   * @returns resolves when the stream has ended, or the pipeline is closed.
   */
  pull(sink: string, listener: (data: Buffer) => void): Promise<void> {
    const element = this.#element(sink);
    return new Promise((resolve) => {
      const next = () =>
        element.pull((data) => {
          if (!data) return resolve();
          listener(data);
          next();
        });
      next();
    });
  }

  /** Gives a buffer to an `appsrc`, which copies it. @param timeNs its presentation time */
  push(source: string, data: Buffer, timeNs: number): void {
    const time = Buffer.allocUnsafe(8);
    time.writeBigUInt64BE(BigInt(Math.round(timeNs)));
    this.#element(source).push(data, time);
  }

  /** Ends the stream at its source: what is under way still arrives, and then the sinks end. */
  sendEnd(): void {
    this.#native.sendEOS();
  }

  /** Ends it, and frees its sinks. Takes a tenth of a second at most. */
  close(): void {
    this.#native.stop();
  }

  #element(name: string): NativeElement {
    const element = this.#elements.get(name) ?? this.#native.findChild(name);
    if (!element) throw new PipelineError(`there is no element ${name}`);
    this.#elements.set(name, element);
    return element;
  }
}

/** The addon lays the fields of a message's own structure over its `type`, so not every type is what it seems. */
function readMessage(raw: Readonly<Record<string, Value>>): PipelineMessage | undefined {
  const { type } = raw;
  if (type === 'error' || type === 'warning') {
    return {
      type,
      element: String(raw['_src_element_name'] ?? ''),
      text: String(raw['message'] ?? ''),
      debug: String(raw['debug'] ?? ''),
    };
  }
  return undefined;
}
