import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';

export interface SlowDisk {
  /** When each fragment, and each sample of one, was on it: by the clock that the test sets. */
  readonly durable: Readonly<Record<'fragments' | 'samples', readonly number[]>>;
  /** How often something was written since the beginning of the test. */
  readonly writes: () => number;
  /** Lets time pass, and the disk work meanwhile. */
  advance(ms: number): Promise<void>;
}

const stepMs = 10;

/** A disk whose flushes take so long, by a clock that the test sets; what it has, it knows. */
export async function slowDisk(flushMs: number): Promise<SlowDisk> {
  const handle = await open(join(await temporaryFolder(), 'any'), 'w');
  const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'writev' | 'datasync'>;
  await handle.close();
  const { writev, datasync } = methods;
  let [writes, calls] = [0, 0];
  const written = { fragments: 0, samples: 0 };
  const durable: Record<'fragments' | 'samples', number[]> = { fragments: [], samples: [] };
  vi.spyOn(methods, 'writev').mockImplementation(async function (this: FileHandle, buffers, position) {
    calls += 1;
    const result = await writev.call(this, buffers, position);
    calls -= 1;
    writes += 1;
    const types = buffers.map(({ buffer, byteOffset }) =>
      Buffer.from(buffer, byteOffset, 8).toString('latin1', 4),
    );
    const fragments = types.filter((type) => type === 'moof').length;
    written.fragments += fragments;
    written.samples += types.filter((type) => type !== 'ftyp').length - fragments;
    return result;
  });
  vi.spyOn(methods, 'datasync').mockImplementation(async function (this: FileHandle) {
    const covered = { ...written };
    await new Promise((resolve) => setTimeout(resolve, flushMs));
    calls += 1;
    await datasync.call(this);
    calls -= 1;
    for (const kind of ['fragments', 'samples'] as const) {
      while (durable[kind].length < covered[kind]) durable[kind].push(performance.now());
    }
  });
  atEnd(async () => void vi.restoreAllMocks());
  const advance = async (ms: number) => {
    for (let at = 0; at < ms; at += stepMs) {
      await vi.advanceTimersByTimeAsync(stepMs);
      do await new Promise((resolve) => setImmediate(resolve));
      while (calls > 0);
    }
  };
  return { durable, writes: () => writes, advance };
}
