import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import { readPlaylist } from '../../http/pages/app/recordings/player/playlist-index.ts';
import { type Camera, startCamera, testMounts } from '../support/camera.ts';
import { type ClusterRecorder, machinesOf, settledCluster, startCluster } from '../support/cluster.ts';
import { temporaryFolder } from '../support/folder.ts';
import { rtspMonitor } from '../support/monitors.ts';
import { probe } from '../support/recordings.ts';
import { waitFor } from '../support/wait.ts';

interface Listed {
  readonly id: string;
  readonly machine: string;
  readonly away: boolean;
  readonly start: number;
  readonly end: number | null;
  readonly bytes: number | null;
}

const second = 1_000_000;
/** Between the last picture of a machine that is killed and the first one of the next. */
const maxGapUs = 8 * second;

const recordingsOn = ({ recorder }: ClusterRecorder) =>
  recorder.get<Listed[]>('/api/recording/query?monitors=door');

/** Waits until a machine lists a recording of another one that lasts so long. */
function recordedBy(machine: string, on: ClusterRecorder, seconds: number): Promise<Listed> {
  const find = async () => {
    const found = (await recordingsOn(on)).find((one) => one.machine === machine);
    return found && (found.end ?? nowUs()) - found.start > seconds * second && found.bytes
      ? found
      : undefined;
  };
  return waitFor(find, 60_000, `a recording of ${machine}`);
}

/** The one of these machines that owns the camera, as another one hears it. */
function ownerAmong(machines: readonly ClusterRecorder[], on: ClusterRecorder): Promise<ClusterRecorder> {
  const find = async () => {
    const owner = (await machinesOf(on)).find(({ owned }) => owned.includes('door'))?.name;
    return machines.find(({ name }) => name === owner);
  };
  return waitFor(find, 30_000, 'the owner of the camera');
}

async function bytesOf({ recorder }: ClusterRecorder, path: string, from: number, count: number) {
  const range = `bytes=${from}-${from + count - 1}`;
  const answer = await recorder.fetch(path, { headers: { range } });
  expect([path, answer.status]).toEqual([path, 206]);
  return Buffer.from(await answer.arrayBuffer());
}

async function startMachines(camera: Camera) {
  const door = rtspMonitor('door', [camera.url('main')], { alwaysRecord: true });
  const cluster = await startCluster([door]);
  await settledCluster(cluster, [door]);
  const [some] = cluster;
  if (!some) throw new Error('there are no machines');
  const first = await ownerAmong(cluster, some);
  return { door, first, others: cluster.filter((one) => one !== first) };
}

test('what a machine has recorded is listed, played and cut on every other one, across a takeover', async () => {
  const { door, first, others } = await startMachines(
    await startCamera({ mounts: { main: testMounts.withAudio } }),
  );
  const [witness] = others;
  if (!witness) throw new Error('there is one machine');
  await recordedBy(first.name, witness, 10);
  await first.recorder.kill();
  await settledCluster(others, [door]);
  const next = await ownerAmong(others, witness);
  const third = others.find((one) => one !== next);
  if (!third) throw new Error('there are two machines');

  // The third machine has recorded nothing of it, and knows all.
  const later = await recordedBy(next.name, third, 10);
  const earlier = await recordedBy(first.name, third, 5);
  expect(earlier).toMatchObject({
    id: expect.stringMatching(`@${first.name}$`),
    away: true,
    protected: null,
  });
  expect(earlier.end).toBeLessThan(later.start + second);
  expect(later).toMatchObject({ id: expect.stringMatching(`@${next.name}$`), away: false, protected: false });
  const away = `${first.name} is away: what it has on its disk can be had when it is back.`;
  const video = ({ id }: Listed) => `/api/recording/${id}/video.mp4`;
  const ask = async (path: string) => {
    const answer = await third.recorder.fetch(path);
    return [answer.status, answer.status === 503 ? ((await answer.json()) as { detail: string }).detail : ''];
  };
  expect(await ask(video(earlier))).toEqual([503, away]);

  const back: ClusterRecorder = { name: first.name, recorder: await first.recorder.restart() };
  await waitFor(async () => !(await recordedBy(first.name, third, 5)).away, 30_000, 'the machine to be back');
  await settledCluster([...others, back], [door]);

  // The timeline is one, with the gap of the takeover.
  const span = `start=${earlier.start}&end=${later.start + 10 * second}`;
  const timeline = await third.recorder.get<{ monitors: { recorded: [number, number][] }[] }>(
    `/api/timeline?monitors=door&bucket=${second}&${span}`,
  );
  const recorded = timeline.monitors.flatMap((monitor) => monitor.recorded);
  expect(recorded[0]?.[0]).toBe(0);
  expect(recorded.at(-1)?.[1]).toBe(Math.ceil((later.start - earlier.start) / second + 10) - 1);

  // What is played: every part, as the page asks for it, and ffprobe finds nothing wrong with it.
  const address = `${third.recorder.url}/api/monitor/door/playlist.m3u8?${span}`;
  const playlist = await third.recorder.fetch(`/api/monitor/door/playlist.m3u8?${span}`);
  expect(playlist.headers.get('x-footage-away')).toBeNull();
  const segments = readPlaylist(await playlist.text(), address);
  const files = [...new Set(segments.map(({ file }) => file))];
  expect(files).toEqual([video(earlier), video(later)]);
  const folder = await temporaryFolder();
  for (const [index, file] of files.entries()) {
    const parts = segments.filter((one) => one.file === file);
    const pieces = [await bytesOf(third, file, 0, parts[0]?.initBytes ?? 0)];
    for (const { offset, bytes } of parts) pieces.push(await bytesOf(third, file, offset, bytes));
    const path = join(folder, `${index}.mp4`);
    await writeFile(path, Buffer.concat(pieces));
    expect(await probe(path)).toMatchObject({ complaints: '' });
    expect((await probe(path)).duration).toBeGreaterThan(5);
  }
  const gaps = segments.map(({ start }, index) => start - (segments[index - 1]?.end ?? start));
  console.log(`longest gap across the takeover: ${(Math.max(...gaps) / second).toFixed(2)} s`);
  expect(Math.max(...gaps)).toBeLessThan(maxGapUs);

  // Of each machine a part, and one of both: all of them in ranges.
  const clips = [
    `start=${earlier.start}&end=${later.start}`,
    `start=${later.start}&end=${later.start + 9 * second}`,
    `start=${earlier.start}&end=${later.start + 9 * second}`,
  ];
  const frames: number[] = [];
  for (const [index, part] of clips.entries()) {
    const path = `/api/monitor/door/clip.mp4?${part}`;
    const whole = Buffer.from(await (await third.recorder.fetch(path)).arrayBuffer());
    const from = whole.length - 6000;
    expect((await bytesOf(third, path, from, 5000)).equals(whole.subarray(from, from + 5000))).toBe(true);
    const file = join(folder, `clip${index}.mp4`);
    await writeFile(file, whole);
    const found = await probe(file);
    expect(found.complaints).toBe('');
    frames.push(found.frames);
  }
  const [ofFirst = 0, ofNext = 0, both] = frames;
  expect(Math.min(ofFirst, ofNext)).toBeGreaterThan(50);
  expect(both).toBe(ofFirst + ofNext);

  // One that is killed again: what it has is known, and asking for it says so at once.
  await back.recorder.kill();
  await waitFor(
    async () => (await recordedBy(first.name, third, 5)).away,
    30_000,
    'the machine to be missed',
  );
  for (const path of [video(earlier), `/api/recording/${earlier.id}/thumbnail.jpeg`])
    expect(await ask(path)).toEqual([503, away]);
  expect((await third.recorder.fetch(video(later))).status).toBe(200);
});

test('what a machine has lost with its disk is listed nowhere any more, and what it records then is', async () => {
  const { door, first, others } = await startMachines(
    await startCamera({ mounts: { main: testMounts.h264(160, 120, 5) } }),
  );
  const [witness] = others;
  if (!witness) throw new Error('there is one machine');
  const lost = await recordedBy(first.name, witness, 5);
  await first.recorder.stop();
  await rm(join(first.recorder.folder, 'storage'), { recursive: true });
  await settledCluster(others, [door]);
  const kept = await recordedBy((await ownerAmong(others, witness)).name, witness, 5);
  const back: ClusterRecorder = {
    name: first.name,
    recorder: await first.recorder.restart(['--new-storage']),
  };
  const all = [...others, back];
  await settledCluster(all, [door]);

  for (const machine of all) {
    const isRight = async () => {
      const ids = (await recordingsOn(machine)).map(({ id }) => id);
      return ids.includes(kept.id) && !ids.includes(lost.id);
    };
    await waitFor(isRight, 60_000, `${machine.name} to know what is gone and what is not`);
  }
  const { name } = await ownerAmong(all, witness);
  for (const machine of all) await recordedBy(name, machine, 10);
});
