import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nowUs } from '../../bus/base/time.ts';
import type { LogEntry, RecordingReport } from '../../bus/messages.ts';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { commands, logs, recordings } from '../../bus/subjects.ts';
import { startTestBus } from '../support/bus.ts';
import { startCamera, testMounts } from '../support/camera.ts';
import { startDetectorHost } from '../support/detector-host.ts';
import { expectWhole, oneMount, patience, type Running, second, start, watch } from '../support/pipeline.ts';
import { picturesIn, tracksOf } from '../support/probe.ts';
import { waitFor } from '../support/wait.ts';

const small = testMounts.h264(160, 90);
const source = (main: string, sub: string) => ({ kind: 'rtsp', protocol: 'tcp', main, sub }) as const;

const nameOf = (file: string) => parseRecordingID(basename(file, '.mp4'));

/** The recordings of the sub stream so far. */
const ofSub = async (running: Running) =>
  (await running.recordings()).filter((file) => nameOf(file)?.stream === 'sub');

/** The newest recording of the sub stream, once it holds some seconds. */
async function subRecording(running: Running, count = 1): Promise<string> {
  const file = await waitFor(async () => (await ofSub(running))[count - 1], 30_000, 'a recording');
  await waitFor(async () => (await picturesIn(file)) >= 20, 20_000, 'pictures in the file');
  return file;
}

describe.concurrent('a pipeline that records the sub stream too', () => {
  test(
    'writes both streams into files of their own, with audio, and decodes only what is wanted',
    patience,
    async () => {
      const { server, bus } = await startTestBus();
      const reports: RecordingReport[] = [];
      bus.subscribe(recordings, ['door'], (report) => reports.push(report));
      const camera = await startCamera({ mounts: { main: small, sub: testMounts.withAudio } });
      const running = await start(source(camera.url('main'), camera.url('sub')), {
        recordSubStream: true,
        bus: server.address,
        isSubDetected: true,
      });
      await startDetectorHost(server.address);
      const sub = await subRecording(running);
      const frames = watch(bus, { stream: 'sub' });
      await waitFor(() => frames.length >= 3, 20_000, 'frames of the sub stream');
      expect(frames[0]).toMatchObject({ width: 320, height: 240 });
      await running.stop();
      const files = await running.recordings();
      expect(files.map((file) => nameOf(file)?.stream).sort()).toEqual(['main', 'sub']);
      for (const file of files) await expectWhole(file);
      expect((await tracksOf(sub)).audio.codec).toBe('aac');
      // The state of the monitor is that of its main stream.
      const main = files.find((file) => file !== sub) ?? '';
      expect(running.reports.filter(({ type }) => type === 'recording')).toEqual([
        { type: 'recording', file: basename(main, '.mp4') },
        { type: 'recording', file: null },
      ]);
      await waitFor(() => reports.filter(({ state }) => state === 'saved').length === 2, 5000, 'the reports');
      const widths = reports
        .filter(({ state }) => state === 'saved')
        .map(({ id, streams }) => [parseRecordingID(id)?.stream, streams[0]?.width]);
      expect(widths.sort()).toEqual([
        ['main', 160],
        ['sub', 320],
      ]);
    },
  );

  test('records both when it is asked to, with what came before', patience, async () => {
    const { server, bus } = await startTestBus();
    const camera = await startCamera({ mounts: { main: testMounts.h264(), sub: small } });
    const running = await start(source(camera.url('main'), camera.url('sub')), {
      ...{ recordSubStream: true, alwaysRecord: false, bus: server.address },
    });
    await running.report('streaming');
    await new Promise((resolve) => setTimeout(resolve, 8000));
    expect(await running.recordings()).toEqual([]);
    const asked = nowUs();
    const until = asked + 2 * second;
    await bus.request(commands.record, ['door'], { until });
    await waitFor(async () => (await running.recordings()).length === 2, 10_000, 'two recordings');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await running.stop();
    const files = await running.recordings();
    expect(files.map((file) => nameOf(file)?.stream).sort()).toEqual(['main', 'sub']);
    for (const file of files) {
      const startUs = (nameOf(file)?.startMs ?? 0) * 1000;
      expect(startUs).toBeLessThanOrEqual(asked - 5 * second);
      const count = await expectWhole(file);
      expect(startUs + second + (count / 10) * second).toBeGreaterThanOrEqual(until);
    }
  });

  test(
    'records the main stream whole while the sub stream is lost, and a new file of it when it is back',
    patience,
    async () => {
      const { server, bus } = await startTestBus();
      const entries: LogEntry[] = [];
      bus.subscribe(logs, ['error', 'monitor', 'door'], (entry) => entries.push(entry));
      const camera = await oneMount(testMounts.h264());
      const other = await startCamera({ mounts: { sub: small } });
      const running = await start(source(camera.url('main'), other.url('sub')), {
        ...{ recordSubStream: true, bus: server.address },
      });
      await subRecording(running);
      await other.kill();
      await waitFor(() => entries[0], 10_000, 'an entry');
      expect(entries[0]?.msg).toBe(
        'sub stream: the camera closed the connection; its recording waits for it',
      );
      await other.restart();
      await subRecording(running, 2);
      await running.stop();
      const files = await running.recordings();
      expect(files.map((file) => nameOf(file)?.stream).sort()).toEqual(['main', 'sub', 'sub']);
      for (const file of files) await expectWhole(file);
      const troubles = running.reports.filter(({ type }) => type === 'trouble');
      expect(troubles[0]).toEqual({ type: 'trouble', text: entries[0]?.msg });
      expect(troubles.at(-1)).toEqual({ type: 'trouble', text: null });
    },
  );
});
