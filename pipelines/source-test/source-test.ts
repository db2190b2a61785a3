import type { Log } from '../../bus/log.ts';
import type { VideoSource } from '../protocol/pipeline-protocol.ts';
import { redactor } from '../redactor.ts';
import { ConnectionReuse } from '../rtsp/connection-reuse.ts';
import { GstreamerSource } from '../sources/gstreamer-source.ts';
import { RtspSource } from '../sources/rtsp-source.ts';
import type { VideoInput } from '../sources/video-input.ts';
import type { SourceTestFailure, SourceTestReport, StreamTestResult } from './source-test-protocol.ts';
import { StreamTest } from './stream-test.ts';

/** The part of the time that is reserved for the sub stream. */
const subStreamMs = 5000;
/** A wait that is longer than the test has a name of its own, so that it is the one that ends it. */
const namedEndMs = 500;

const noLog: Log = { error() {}, warning() {}, info() {}, debug() {} };

/**
 * Plays a source for a few seconds. The sub stream comes after the main one, and only if that was right. Both are one
 * login, unless they are of different cameras or the camera closes the connection in between.
 *
 * @param untilMs of this process's monotonic clock
 */
export async function testSource(source: VideoSource, untilMs: number): Promise<SourceTestReport> {
  const reuse = new ConnectionReuse();
  try {
    return await testStreams(source, untilMs, reuse);
  } finally {
    reuse.close();
  }
}

async function testStreams(
  source: VideoSource,
  untilMs: number,
  reuse: ConnectionReuse,
): Promise<SourceTestReport> {
  const redact = redactor(source);
  const sub = source.kind === 'rtsp' ? source.sub : undefined;
  const mainMs = untilMs - performance.now() - (sub === undefined ? 0 : subStreamMs);
  const main = await testStream(() => openMain(source, mainMs, reuse), mainMs);
  if (!main.ok) return { ...main, detail: redact(main.detail) };
  if (source.kind !== 'rtsp' || sub === undefined) return { ok: true, main: main.offer };
  const testSub = (connections?: ConnectionReuse) => {
    const subMs = untilMs - performance.now();
    return testStream(() => openRtspStream(source.protocol, sub, subMs, connections), subMs);
  };
  let second = await testSub(reuse);
  // Some cameras close a connection a moment after TEARDOWN, whatever was begun over it since.
  if (!second.ok && reuse.hasServed && hasLostConnection(second)) second = await testSub();
  if (second.ok) return { ok: true, main: main.offer, sub: second.offer };
  return { ...second, detail: `sub stream: ${redact(second.detail)}`, main: main.offer };
}

function hasLostConnection({ reason }: SourceTestFailure): boolean {
  return reason === 'lost' || reason === 'unreachable';
}

async function testStream(open: () => VideoInput, withinMs: number): Promise<StreamTestResult> {
  try {
    return await new StreamTest(open()).run(withinMs);
  } catch (error) {
    return { ok: false, reason: 'failed', detail: (error as Error).message };
  }
}

function openMain(source: VideoSource, withinMs: number, reuse: ConnectionReuse): VideoInput {
  return source.kind === 'rtsp'
    ? openRtspStream(source.protocol, source.main, withinMs, reuse)
    : new GstreamerSource(source);
}

function openRtspStream(
  transport: 'tcp' | 'udp',
  url: string,
  withinMs: number,
  reuse: ConnectionReuse | undefined,
): VideoInput {
  const patienceMs = Math.max(withinMs - namedEndMs, 1);
  return new RtspSource({ url, transport, audio: false, patienceMs, log: noLog, monitorID: '', reuse });
}
