import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../bus/messages.ts';
import { logs } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { clicksOf, filmRate, makeFilm, offsetsOf } from '../support/film.ts';
import { startFilmCamera } from '../support/film-camera.ts';
import {
  expectWhole,
  oneMount,
  patience,
  type Running,
  recordingOf,
  rtsp,
  start,
} from '../support/pipeline.ts';
import { contentOf, soundOf, tracksOf } from '../support/probe.ts';
import { waitFor } from '../support/wait.ts';

const filmStep = 1 / filmRate;
const inStep = 0.1;

/** The recording, once its pictures and its sound reach to an even second of the film, past the click before. */
async function filmRecording(running: Running, seconds: number): Promise<string> {
  const file = await recordingOf(running, seconds * filmRate);
  await untilSound(file, seconds);
  return file;
}

const untilSound = (file: string, seconds: number) =>
  waitFor(async () => (await contentOf(file)).soundUntilSeconds > seconds - 0.4, 20_000, 'its sound');

async function entriesOf() {
  const { server, bus } = await startTestBus();
  const entries: LogEntry[] = [];
  bus.subscribe(logs, ['*', '*', 'door'], (entry) => entries.push(entry));
  const about = () =>
    entries.map(({ level, msg }) => `${level}: ${msg}`).filter((text) => /audio/.test(text));
  return { address: server.address, about };
}

describe('the sound of a camera', () => {
  test('is recorded as AAC, whatever it was', { timeout: 120_000 }, async () => {
    const rates = {
      ...{ PCMA: 8000, PCMU: 8000, L16: 16_000, G722: 16_000, G726: 8000, Opus: 48_000, MP3: 48_000 },
    };
    const codecs = Object.keys(rates) as (keyof typeof rates)[];
    const camera = await startCamera({ mounts: testMounts.withSound });
    const all = await Promise.all(codecs.map((codec) => start(rtsp(camera.url(codec)))));
    for (const [n, running] of all.entries()) {
      const codec = codecs[n] ?? 'PCMA';
      // The first sender report may take seven seconds.
      const file = await recordingOf(running, 100);
      await running.stop();
      expect(await running.recordings(), codec).toEqual([file]);
      await expectWhole(file);
      const sound = await soundOf(file);
      expect(sound, codec).toMatchObject({ codec: 'aac', sampleRate: rates[codec], errors: '' });
      const { video } = await tracksOf(file);
      // Seven cameras at once send their sound late: at the end, some of it is still on its way.
      expect(Math.abs(sound.seconds - video.packets * 0.1), codec).toBeLessThan(2);
      // It ticks once a second. Before the first sender report it is where it arrived.
      const [before = 0, last = 0] = (await clicksOf(file)).slice(-2);
      expect(last - before, codec).toBeCloseTo(1, 1);
    }
  });

  test('without sender reports is recorded by its arrival', patience, async () => {
    const camera = await startFilmCamera({ seconds: 8, audioDelayMs: 400 });
    const running = await start(rtsp(camera.url()));
    const file = await filmRecording(running, 6);
    await running.stop();
    const offsets = await offsetsOf(file);
    expect(offsets.length).toBeGreaterThanOrEqual(3);
    for (const offset of offsets) expect(Math.abs(offset - 0.4)).toBeLessThan(inStep);
  });

  test.concurrent('is in step with its picture', patience, async () => {
    const camera = await oneMount({ file: await makeFilm(4, { codec: 'aac', rate: 48_000 }) });
    const running = await start(rtsp(camera.url('main')));
    const file = await filmRecording(running, 8);
    await running.stop();
    const offsets = await offsetsOf(file);
    expect(offsets.length).toBeGreaterThanOrEqual(3);
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(inStep);
  });

  test.concurrent.each([
    ['comes later than its picture', 700, () => 0],
    [
      'comes later than its picture, from a camera whose clock is set meanwhile',
      700,
      (at: number) => (at < 5200 ? 0 : 1500),
    ],
  ] as const)(
    'that %s is in step with it by the sender reports',
    patience,
    async (_, audioDelayMs, clockErrorMs) => {
      const camera = await startFilmCamera({ seconds: 12, audioDelayMs, clockErrorMs });
      const running = await start(rtsp(camera.url()));
      const file = await filmRecording(running, 10);
      await running.stop();
      expect(await expectWhole(file, filmStep)).toBeGreaterThanOrEqual(10 * filmRate);
      const offsets = await offsetsOf(file);
      expect(offsets.length).toBeGreaterThanOrEqual(4);
      for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(inStep);
    },
  );

  test.concurrent('of which packets are lost is in step after them', patience, async () => {
    const camera = await startFilmCamera({ seconds: 10, audioLossMs: [1500, 2230] });
    const running = await start(rtsp(camera.url()));
    const file = await filmRecording(running, 8);
    await running.stop();
    const offsets = await offsetsOf(file);
    expect(offsets.length).toBeGreaterThanOrEqual(3);
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(inStep);
  });

  test.concurrent('that is announced and never comes delays nothing', patience, async () => {
    const camera = await startFilmCamera({ seconds: 8, audioUntilMs: 0 });
    const running = await start(rtsp(camera.url()));
    const file = await recordingOf(running, 3 * filmRate);
    await running.stop();
    await expectWhole(file, filmStep);
    expect(await running.recordings()).toEqual([file]);
    expect((await tracksOf(file)).audio).toEqual({ codec: undefined, packets: 0 });
  });

  test.concurrent('that begins later begins another recording, with one entry', patience, async () => {
    const { address, about } = await entriesOf();
    const camera = await startFilmCamera({ seconds: 10, audioFromMs: 3500 });
    const running = await start(rtsp(camera.url()), { bus: address });
    await waitFor(async () => (await running.recordings()).length > 1, 20_000, 'the second recording');
    const [first = '', second = ''] = await running.recordings();
    await waitFor(async () => (await contentOf(second)).pictures > 3 * filmRate, 20_000, 'more pictures');
    // It begins in the film's fourth second: past the click of the seventh.
    await untilSound(second, 4);
    await running.stop();
    await expectWhole(first, filmStep);
    await expectWhole(second, filmStep);
    expect((await tracksOf(first)).audio.codec).toBeUndefined();
    expect((await tracksOf(second)).audio.codec).toBe('aac');
    const offsets = await offsetsOf(second);
    expect(offsets.length).toBeGreaterThanOrEqual(1);
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(inStep);
    expect(about()).toEqual([expect.stringMatching(/^info: the camera sends .* with audio of 8000 Hz now/)]);
  });

  test.concurrent('that stops leaves the picture as it is', patience, async () => {
    const camera = await startFilmCamera({ seconds: 10, audioUntilMs: 3000 });
    const running = await start(rtsp(camera.url()));
    const file = await recordingOf(running, 8 * filmRate);
    await running.stop();
    expect(await running.recordings()).toEqual([file]);
    await expectWhole(file, filmStep);
    expect(await clicksOf(file)).toHaveLength(1);
  });

  test.concurrent.each([
    ['speex/8000', 'info: audio: SPEEX cannot be recorded; recording without it'],
    ['opus/48000/2', /^warning: audio: OPUS cannot be converted: .*; recording without it$/],
  ])(
    'that nobody can decode is named once, and the picture is recorded: %s',
    patience,
    async (format, entry) => {
      const { address, about } = await entriesOf();
      const audioSdp = ['m=audio 0 RTP/AVP 97', `a=rtpmap:97 ${format}`, 'a=control:trackID=1'];
      const camera = await startFilmCamera({ seconds: 16, audioSdp, audioPayloadType: 97 });
      const running = await start(rtsp(camera.url()), { bus: address });
      await waitFor(() => about().length > 0, 20_000, 'the entry');
      const file = await recordingOf(running, filmRate);
      await running.stop();
      for (const each of await running.recordings()) await expectWhole(each, 2 * filmStep);
      const entries = about().filter((text) => !text.includes('a new recording begins'));
      expect(entries).toEqual([typeof entry === 'string' ? entry : expect.stringMatching(entry)]);
      expect((await tracksOf(file)).audio.packets).toBe(0);
    },
  );
});

describe('the sound of a file', () => {
  test.concurrent.each([
    ['aac', 48_000],
    ['pcm_alaw', 8000],
    ['libmp3lame', 44_100],
  ])('of %s is recorded, in step', patience, async (codec, rate) => {
    const path = await makeFilm(6, { codec, rate });
    const running = await start({ kind: 'file', path, loop: false });
    expect((await running.end).reason).toBe('finished');
    const [file = '', ...others] = await running.recordings();
    expect(others).toEqual([]);
    expect(await expectWhole(file, filmStep)).toBe(6 * filmRate);
    expect(await soundOf(file)).toMatchObject({ codec: 'aac', sampleRate: rate, errors: '' });
    const offsets = await offsetsOf(file);
    expect(offsets).toHaveLength(3);
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(inStep);
  });
});
