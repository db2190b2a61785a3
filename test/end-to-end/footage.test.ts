import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import { expectClip } from '../support/gst-discoverer.ts';
import { testMonitor } from '../support/monitors.ts';
import { decode } from '../support/probe.ts';
import { startRecorder } from '../support/recorder.ts';
import { waitFor } from '../support/wait.ts';

/** Footage of a recorder that records meanwhile, through its front door. */

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly start: number;
  readonly end: number | null;
}

test('what is recorded now can be found, played, cut and seen, and deleted when it is complete', async () => {
  const monitors = [testMonitor('ball', { name: 'Ball', alwaysRecord: true })];
  const recorder = await startRecorder({ monitors });
  const list = () => recorder.get<Listed[]>('/api/recording/query?monitors=ball');
  const begun = await waitFor(async () => (await list())[0], 30_000, 'a recording');
  expect(begun).toMatchObject({ state: 'recording', end: null });
  const { id, start } = begun;
  await waitFor(() => nowUs() > start + 8e6, 30_000, 'some seconds of footage');

  const save = async (path: string, name: string) => {
    const answer = await recorder.fetch(path);
    expect(answer.status).toBe(200);
    const file = join(recorder.folder, name);
    await writeFile(file, Buffer.from(await answer.arrayBuffer()));
    return file;
  };
  const video = await decode(await save(`/api/recording/${id}/video.mp4`, 'video.mp4'));
  expect(video.errors).toBe('');
  expect(video.frames).toBeGreaterThan(60);

  // From and to within a picture: its edges move by the camera's clock, up to 500 ppm.
  const span = `start=${start + 2_030_000}&end=${start + 4_030_000}`;
  const clip = await save(`/api/monitor/ball/clip.mp4?${span}`, 'clip.mp4');
  expect(await decode(clip)).toEqual({ frames: 30, errors: '' });
  await expectClip(clip, 0);
  expect(await (await recorder.fetch(`/api/monitor/ball/playlist.m3u8?${span}`)).text()).toContain(
    `${id}/video.mp4`,
  );
  const thumbnail = Buffer.from(
    await (await recorder.fetch(`/api/recording/${id}/thumbnail.jpeg`)).arrayBuffer(),
  );
  expect(thumbnail.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  const { monitors: found } = await recorder.get<{ monitors: { id: string; recorded: number[][] }[] }>(
    `/api/timeline?start=${start}&end=${start + 10_000_000}&bucket=1000000`,
  );
  expect(found).toMatchObject([{ id: 'ball', recorded: [[0, expect.any(Number)]] }]);

  await expect(recorder.change('DELETE', `/api/recording?id=${id}`)).rejects.toThrow(/409/);
  await recorder.change('PUT', '/api/monitor', testMonitor('ball', { enable: false }));
  await waitFor(async () => (await list())[0]?.state === 'saved', 20_000, 'its end');
  await recorder.change('DELETE', `/api/recording?id=${id}`);
  await waitFor(async () => (await list()).length === 0, 10_000, 'an empty catalogue');
});
