import { beforeAll, expect, test, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { makeVideo, moved, startRecorder, timed } from '../../support/pipeline-recorder.ts';
import { slowDisk } from '../../support/slow-disk.ts';
import { waitFor } from '../../support/wait.ts';

beforeAll(makeVideo);

for (const flushMs of [0, 450]) {
  test(`flushes each fragment within a second of its arrival, on a disk that takes ${flushMs} ms`, async () => {
    const { recorder, facts } = await startRecorder({ alwaysRecord: true });
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    atEnd(async () => void vi.useRealTimers());
    const { durable, advance } = await slowDisk(flushMs);
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
    expect(durable.fragments).toHaveLength(cameAt.length);
    const delays = durable.fragments.map((at, index) => at - (cameAt[index] ?? 0));
    expect(Math.max(...delays.slice(1))).toBeLessThanOrEqual(1000);
    vi.useRealTimers();
    await recorder.close();
  });
}
