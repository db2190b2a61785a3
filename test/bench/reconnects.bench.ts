import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PipelinePool } from '../../pipelines/host/pipeline-pool.ts';
import type { PipelineSession } from '../../pipelines/protocol/pipeline-protocol.ts';
import { silentLogger, startTestBus } from '../support/bus.ts';
import { atEnd } from '../support/cleanup.ts';
import { FakeCamera, videoAndAudio } from '../support/fake-camera.ts';
import { temporaryFolder } from '../support/folder.ts';
import { numbersIn, startNumberedCamera } from '../support/numbered-camera.ts';
import { rtsp } from '../support/pipeline.ts';
import { commandLine, descendants, openFiles, ownMemory } from '../support/processes.ts';
import { recordingsIn } from '../support/recordings.ts';
import { videoPackets } from '../support/rtp.ts';
import { writeRtp } from '../support/rtp-writer.ts';

/**
 * A camera whose sound has to be converted comes and goes two thousand times, in processes that it shares with cameras that
 * stay: what GStreamer leaks with each converter must not add up, and the others must not notice.
 */

const connections = Number(process.env['CONNECTIONS'] ?? 2000);
const reportEvery = Math.ceil(connections / 10);
const warmUp = reportEvery;

test('a camera that comes and goes leaves nothing behind', async () => {
  const { server } = await startTestBus();
  const folder = await temporaryFolder();
  const pool = new PipelinePool({ monitorsPerProcess: 4, log: silentLogger().source('recorder') });
  atEnd(() => pool.close());
  const session = (monitorID: string, url: string): PipelineSession => ({
    ...{ monitorID, source: rtsp(url), recordingsDir: `${folder}/${monitorID}`, alwaysRecord: true },
    ...{
      videoLength: 3600_000,
      patienceMs: 10_000,
      maxPatienceMs: 60_000,
      recordSubStream: false,
      eventsLateMs: 2000,
      isSubDetected: false,
    },
    ...{ bus: server.address, log: { repeatLimit: 5, printDebug: false } },
  });
  const stopping = new AbortController();
  const steady = ['one', 'two'].map(async (id, index) => {
    const camera = await startNumberedCamera({ index: index + 1, keyFrameEvery: 10 });
    await pool.run(session(id, camera.url()), { signal: stopping.signal, onReport: () => {} });
    return { id, connections: camera.connections };
  });
  await pause(3000);

  const restless = await startRestlessCamera();
  let most = 0;
  let first = measure();
  const began = performance.now();
  const reasons = new Map<string, number>();
  for (let count = 1; count <= connections; count += 1) {
    // Files are named by the second: more of them would be looked through for a free name.
    const alwaysRecord = count % 10 === 0;
    const { reason } = await pool.run(
      { ...session('restless', restless.url()), alwaysRecord },
      {
        ...{ signal: stopping.signal, onReport: () => {} },
      },
    );
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const now = measure();
    most = Math.max(most, now.processes);
    if (count === warmUp) first = now;
    if (count % reportEvery === 0) console.log(`  ${count} connections: ${describe(now)}`);
  }
  const last = measure();
  const seconds = (performance.now() - began) / 1000;
  console.log(`  ${seconds.toFixed(0)} s, ends: ${JSON.stringify(Object.fromEntries(reasons))}`);
  console.log(`  at most ${most} processes`);
  stopping.abort();
  for (const { id, connections } of await Promise.all(steady)) {
    const [file = '', ...more] = await recordingsIn(`${folder}/${id}`);
    expect(more).toEqual([]);
    expect(connections).toHaveLength(1);
    const numbers = numbersIn(await readFile(file)).map(([, picture]) => picture);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    // What was sent in the last moment may have been on its way.
    expect(numbers.length).toBeGreaterThan((connections[0]?.sentMs.length ?? 0) - 10);
    console.log(`  ${id}: ${numbers.length} pictures in one recording, none missing, none twice`);
  }
  expect(most).toBeLessThanOrEqual(3);
  // Those of a process that is not worn yet: a hundred converters of four descriptors and a quarter of a megabyte.
  expect(last.files - first.files).toBeLessThan(450);
  expect(last.megabytes - first.megabytes).toBeLessThan(40);
});

/** It sends a second of video and of G.711, and closes the connection. */
async function startRestlessCamera(): Promise<FakeCamera> {
  const video = await videoPackets('h264', { frames: 10, keyFrameEvery: 5 });
  const sound = Array.from({ length: 50 }, (_, n) =>
    writeRtp({ sequence: n, timestamp: n * 160, payload: Buffer.alloc(160, 0xd5), payloadType: 8 }),
  );
  return FakeCamera.start({
    sdp: videoAndAudio,
    play: async (connection) => {
      const [[picture] = [0], [audio] = [2]] = connection.channels;
      await connection.send(
        ...sound.map((data) => ({ channel: audio, data })),
        ...video.map((data) => ({ channel: picture, data })),
      );
      await pause(50);
      connection.socket.end();
    },
  });
}

function measure() {
  const hosts = descendants(process.pid).filter((pid) => commandLine(pid).includes('pipeline-host'));
  return {
    processes: hosts.length,
    files: hosts.reduce((sum, pid) => sum + openFiles(pid), 0),
    megabytes: hosts.reduce((sum, pid) => sum + ownMemory(pid).rss, 0) / 1e6,
  };
}

const describe = ({ processes, files, megabytes }: ReturnType<typeof measure>) =>
  `${processes} processes, ${files} descriptors, ${megabytes.toFixed(0)} MB`;
