import { readFileRange } from '../files/file-range.ts';
import type { RecordingFiles } from '../files/recording-files.ts';
import type { Footage } from '../playback/footage.ts';

/** A recording whose bytes are wanted. */
export interface OpenMedia {
  /** Reads `from` to before `to`. @throws if there are fewer bytes. */
  read(from: number, to: number): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** What a clip is made of, and where its bytes come from. */
export interface ClipFootage {
  readonly footage: Footage;
  /** @returns undefined if the recording is no longer there; the caller closes it. */
  readonly open: (id: string) => Promise<OpenMedia | undefined>;
}

/** Opens a recording on this machine's disk. @throws errors of the file system. */
export async function openMedia(files: RecordingFiles, id: string): Promise<OpenMedia | undefined> {
  const { handle } = (await files.open(id)) ?? {};
  return handle && { read: (from, to) => readFileRange(handle, from, to), close: () => handle.close() };
}
