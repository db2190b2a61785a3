import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import {
  began,
  bytesOf,
  files,
  makeVideo,
  second,
  startRecorder,
  timed,
  video,
} from '../../support/pipeline-recorder.ts';
import { waitFor } from '../../support/wait.ts';

beforeAll(makeVideo);

describe('what a recorder reports of its recordings', () => {
  test('is their first fragment, that they grow, and their end', async () => {
    const { recorder, recordingsDir, facts } = await startRecorder({
      alwaysRecord: true,
      videoLength: 19_000,
    });
    vi.useFakeTimers({ toFake: ['performance'] });
    atEnd(async () => void vi.useRealTimers());
    const sizes: number[] = [];
    for (const fragment of timed()) {
      recorder.push(fragment);
      sizes.push(bytesOf(fragment));
      vi.advanceTimersByTime(1000);
      await waitFor(() => recorder.bytes === 0, 5000, 'the write');
    }
    await recorder.close();
    const ids = ['2026-11-23_03-40-12_door', '2026-11-23_03-40-32_door'];
    const states = ['started', 'growing', 'growing', 'growing', 'saved'];
    expect(facts.map(({ id, state }) => [id, state])).toEqual(
      ids.flatMap((id) => states.map((state) => [id, state])),
    );
    const [first] = facts;
    expect(first).toEqual({
      ...{ id: ids[0], monitorID: 'door', state: 'started', start: began, end: began + second },
      bytes: (video[0]?.layout.init.length ?? 0) + (sizes[0] ?? 0),
      streams: [{ codec: 'h264', width: 320, height: 240 }],
      reason: '',
    });
    expect(facts.map(({ end }) => (end - began) / second)).toEqual([1, 6, 11, 16, 20, 21, 26, 31, 36, 40]);
    const saved = facts.filter(({ state }) => state === 'saved');
    const paths = await files(recordingsDir);
    expect(saved.map(({ bytes }) => bytes)).toEqual(
      await Promise.all(paths.map(async (path) => (await stat(path)).size)),
    );
  });

  test('is, for one that the disk cut short, what is on disk and why', async () => {
    const { recorder, recordingsDir, facts } = await startRecorder({ alwaysRecord: true });
    const [first, second_, ...others] = timed().slice(0, 8);
    if (!first || !second_) throw new Error('too few fragments');
    recorder.push(first);
    await waitFor(() => facts[0], 5000, 'the first report');
    // A process may write no file beyond some size: the second fragment still fits.
    const [path = ''] = await files(recordingsDir);
    const limit = (await stat(path)).size + bytesOf(second_);
    process.on('SIGXFSZ', () => {});
    await limitFileSize(`${limit + 100}`);
    atEnd(() => limitFileSize('unlimited'));
    for (const fragment of [second_, ...others.slice(0, 1)]) recorder.push(fragment);
    await waitFor(() => recorder.bytes === 0, 5000, 'the writes');
    await limitFileSize('unlimited');
    for (const fragment of others.slice(1)) recorder.push(fragment);
    await recorder.close();
    expect(
      facts.map(({ state, end, bytes, reason }) => [state, (end - began) / second, bytes, reason]),
    ).toEqual([
      ['started', 1, limit - bytesOf(second_), ''],
      ['lost', 2, limit, 'the disk took only a part of a fragment'],
      ['started', 5, expect.any(Number), ''],
      ['saved', 8, expect.any(Number), ''],
    ]);
    expect(limit).toBe((await stat(path)).size);
  });
});

/** Of this very process. */
async function limitFileSize(bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:unlimited`]);
}
