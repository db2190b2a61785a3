import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { makeVideo, moved, startRecorder, timed } from '../../support/pipeline-recorder.ts';
import { waitFor } from '../../support/wait.ts';

beforeAll(makeVideo);

/** A disk whose flushes take so long, by a clock that this test sets; which fragments it has, it knows. */
async function slowDisk(flushMs: number) {
  const handle = await open(join(await temporaryFolder(), 'any'), 'w');
  const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'writev' | 'datasync'>;
  await handle.close();
  const { writev, datasync } = methods;
  let [written, calls] = [0, 0];
  const durableAt: number[] = [];
  vi.spyOn(methods, 'writev').mockImplementation(async function (this: FileHandle, buffers) {
    calls += 1;
    const result = await writev.call(this, buffers);
    calls -= 1;
    written += 1;
    return result;
  });
  vi.spyOn(methods, 'datasync').mockImplementation(async function (this: FileHandle) {
    const covered = written;
    await new Promise((resolve) => setTimeout(resolve, flushMs));
    calls += 1;
    await datasync.call(this);
    calls -= 1;
    while (durableAt.length < covered) durableAt.push(performance.now());
  });
  const advance = async (ms: number) => {
    for (let at = 0; at < ms; at += 10) {
      await vi.advanceTimersByTimeAsync(10);
      do await new Promise((resolve) => setImmediate(resolve));
      while (calls > 0);
    }
  };
  return { durableAt, advance };
}

for (const flushMs of [0, 450]) {
  test(`flushes each fragment within a second of its arrival, on a disk that takes ${flushMs} ms`, async () => {
    const { recorder, facts } = await startRecorder({ alwaysRecord: true });
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    atEnd(async () => void vi.useRealTimers());
    const { durableAt, advance } = await slowDisk(flushMs);
    atEnd(async () => void vi.restoreAllMocks());
    const [first, ...others] = timed().slice(0, 24);
    if (!first) throw new Error('there is no video');
    const cameAt = [performance.now()];
    recorder.push(first);
    await waitFor(
      async () => {
        await advance(10);
        return facts[0];
      },
      5000,
      'the file',
    );
    // Four a second, one a second, and then none.
    for (const [index, fragment] of others.entries()) {
      cameAt.push(performance.now());
      recorder.push(moved(fragment, 0));
      await advance(index < 16 ? 250 : 1000);
    }
    await advance(1000);
    expect(durableAt).toHaveLength(cameAt.length);
    const delays = durableAt.map((at, index) => at - (cameAt[index] ?? 0));
    expect(Math.max(...delays.slice(1))).toBeLessThanOrEqual(1000);
    vi.useRealTimers();
    await recorder.close();
  });
}
