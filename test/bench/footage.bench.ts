import { mkdir, open, rm, utimes } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { Outbox } from '../../bus/nats/outbox.ts';
import { formatRecordingID } from '../../bus/recording-id.ts';
import { recordings } from '../../bus/subjects.ts';
import type { MediaFragment, Sample } from '../../pipelines/mp4/media-fragment.ts';
import { movieFragment } from '../../pipelines/mp4/movie-fragment.ts';
import { RecordingFiles } from '../../store/recordings/files/recording-files.ts';
import { RecordingMarks } from '../../store/recordings/files/recording-marks.ts';
import { FragmentIndexes } from '../../store/recordings/fragments/fragment-indexes.ts';
import { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { atEnd } from '../support/cleanup.ts';
import { pathOf, second } from '../support/footage.ts';
import { authorization, type FrontDoor, openFrontDoor, user } from '../support/http-server.ts';
import { fragmentsOf } from '../support/recorded.ts';
import { mediaPackets, packetsOf, videoPackets } from '../support/rtp.ts';
import { beginUs, days, endUs, fillMonth, minutes } from './month.ts';

/** How long somebody waits for footage: lists and timelines of a month of 16 monitors, an hour of one. */

const pictureBytes = 4000;

test('lists and timelines of a month', async () => {
  const door = await openFrontDoor();
  await fillMonth(door);
  const sql = async (text: string) => (await door.change('POST', '/api/log/sql', { sql: text })).json();

  const spans: [string, number][] = [
    ['an hour', 3600],
    ['a day', 86_400],
    ['a week', 7 * 86_400],
    ['the month', days * 86_400],
  ];
  for (const [name, seconds] of spans) {
    const path = `/api/timeline?start=${endUs - seconds * second}&end=${endUs}`;
    const size = (await (await door.fetch(path)).text()).length;
    console.log(`timeline, ${name}: ${await distribution(door, () => path)}, ${(size / 1024).toFixed(1)} KB`);
  }
  const recent = `SELECT monitorID, startTime // 3600000000, count(*) FROM recordings GROUP BY ALL`;
  const happened = `SELECT monitorID, label, time // 3600000000, count(*) FROM events GROUP BY ALL`;
  for (const text of [recent, happened]) {
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) times.push(await timed(() => sql(`${text} LIMIT 1`)));
    console.log(`plain SQL, ${text.slice(0, 40)}…: ${spread(times)}`);
  }
  const random = () =>
    formatRecordingID({
      startMs: (beginUs + Math.random() * (endUs - beginUs)) / 1000,
      monitorID: 'x',
      stream: 'main',
    });
  console.log(`query, newest page: ${await distribution(door, () => '/api/recording/query')}`);
  console.log(
    `query, any page: ${await distribution(door, () => `/api/recording/query?before=${random()}`)}`,
  );
  const one = () => `/api/recording/query?monitors=camera3&after=${random()}`;
  console.log(`query, any page of one monitor: ${await distribution(door, one)}`);
  // As the pages ask.
  const lists = [
    `/api/recording/query?start=${beginUs}&end=${endUs}&limit=150`,
    `/api/event/occurrences?start=${beginUs}&end=${endUs}&limit=150`,
    '/api/event/occurrences',
    '/api/event/occurrences?order=oldest&limit=5&labels=dog',
  ];
  for (const path of lists) {
    const { length } = await (await door.fetch(path)).text();
    console.log(`${path}: ${await distribution(door, () => path)}, ${(length / 1024).toFixed(1)} KB`);
  }
});

test('an hour of one monitor', async () => {
  const door = await openFrontDoor();
  const startUs = beginUs;
  const ids: string[] = [];
  for (let index = 0; index < 4; index += 1)
    ids.push(await quarter(door, startUs + index * minutes * 60 * second));
  const span = `start=${startUs}&end=${startUs + 3600 * second}`;
  const clip = `/api/monitor/door/clip.mp4?${span}`;
  const archive = () => {
    const files = new RecordingFiles(door.recordingsDir);
    const catalogue = { recordings: door.recordings.list.bind(door.recordings) };
    return new RecordingArchive({
      marks: new RecordingMarks(files),
      files,
      indexes: new FragmentIndexes(files),
      catalogue,
      onRemoved: () => {},
      removeRest: async () => {},
      makePicture: async () => undefined,
    });
  };
  const make = async () => {
    const made = await archive().clip('door', startUs, startUs + 3600 * second);
    if (made === undefined || made === 'busy' || 'changes' in made) throw new Error('no clip');
    return made;
  };
  const rounds = 7;
  const [without, from]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    for (const id of ids)
      await rm(join(dirname(pathOf(door.recordingsDir, id)), `${id}.idx`), { force: true });
    without.push(await timed(make));
    from.push(await timed(make));
  }
  const { length } = await make();
  console.log(`a clip of an hour, ${(length / 1e6).toFixed(0)} MB, its header`);
  console.log(`  from the recordings themselves (in the page cache): ${spread(without)}`);
  console.log(`  from indexes on disk: ${spread(from)}`);
  // A login that is not known yet takes 0.1 s more.
  await door.fetch('/api/account/my-token', {}, user);
  const earliest = await firstByte(door, `${clip.slice(0, -3)}500`);
  console.log(`  over HTTPS, to the first byte, the first of all: ${earliest.toFixed(1)} ms`);
  const first: number[] = [];
  for (let round = 0; round < 40; round += 1)
    first.push(await firstByte(door, `${clip.slice(0, -3)}${String(round).padStart(3, '0')}`));
  console.log(`  indexes in memory: ${spread(first)}`);
  const again: number[] = [];
  for (let round = 0; round < 40; round += 1) again.push(await firstByte(door, clip));
  console.log(`  the same clip again: ${spread(again)}`);
  console.log(
    `the playlist of the hour: ${await distribution(door, () => `/api/monitor/door/playlist.m3u8?${span}`)}`,
  );
});

/** 15 minutes at 15 frames/s with audio of 16 kHz, with noise for pictures. @returns the recording's id. */
async function quarter(door: FrontDoor, startUs: number): Promise<string> {
  const line = 'audiotestsrc num-buffers=32 ! audio/x-raw,rate=16000,channels=1 ! avenc_aac ! rtpmp4gpay';
  const [model] = fragmentsOf({
    video: mediaPackets(await videoPackets('h264', { frames: 30, keyFrameEvery: 15, rate: 15 })),
    audio: mediaPackets(await packetsOf(line), 16_000),
  });
  if (!model) throw new Error('no video');
  const id = formatRecordingID({ startMs: startUs / 1000, monitorID: 'door', stream: 'main' });
  const path = pathOf(door.recordingsDir, id);
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  await file.write(model.layout.init);
  const data = Buffer.alloc(pictureBytes, 7);
  for (let index = 0; index < minutes * 60; index += 1) {
    const video = Array.from({ length: 15 }, (_, k): Sample => {
      return {
        decodeTime: (index * 15 + k) * 6000,
        duration: 6000,
        compositionOffset: 0,
        keyFrame: k === 0,
        data,
      };
    });
    const audio = Array.from({ length: 15 }, (_, k): Sample => {
      const decodeTime = index * 16_000 + k * 1067;
      return {
        decodeTime,
        duration: 1067,
        compositionOffset: 0,
        keyFrame: true,
        data: data.subarray(0, 200),
      };
    });
    const fragment: MediaFragment = { ...model, video, audio };
    await file.writev(movieFragment(fragment, index + 1, 0));
  }
  const { size } = await file.stat();
  await file.close();
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const outbox = new Outbox(10, () => {});
  outbox.attach(door.bus);
  const end = startUs + minutes * 60 * second;
  outbox.add(recordings, ['door'], {
    ...{ id, monitorID: 'door', state: 'saved', start: startUs, end, bytes: size, streams: [], reason: '' },
  });
  await outbox.flush(10_000);
  return id;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function distribution(door: FrontDoor, path: () => string, rounds = 60): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await timed(async () => (await door.fetch(path(), {}, user)).arrayBuffer()));
  }
  return spread(times);
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`;
}

/** Milliseconds until the first byte of the body; the rest is not read. */
function firstByte(door: FrontDoor, path: string): Promise<number> {
  const agent = new Agent({ rejectUnauthorized: false });
  atEnd(async () => agent.destroy());
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(door.url + path, { agent, headers: authorization(user) }, (answer) => {
      answer.once('data', () => {
        resolve(performance.now() - begin);
        outgoing.destroy();
      });
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
