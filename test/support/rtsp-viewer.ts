import { parseRtspAddress } from '../../bus/base/rtsp-address.ts';
import { RtspError } from '../../pipelines/rtsp/protocol/rtsp-error.ts';
import type { RtspTimeouts } from '../../pipelines/rtsp/protocol/rtsp-timeouts.ts';
import type { SenderReport } from '../../pipelines/rtsp/rtp/rtcp.ts';
import type { RtpPacket } from '../../pipelines/rtsp/rtp/rtp-packet.ts';
import { openRtsp } from '../../pipelines/rtsp/rtsp-client.ts';
import type { RtspSession } from '../../pipelines/rtsp/rtsp-session.ts';
import type { RtspTransport, SetupResult } from '../../pipelines/rtsp/track-setup.ts';
import { atEnd } from './cleanup.ts';
import { waitFor } from './wait.ts';

export interface ViewerOptions {
  readonly transport?: RtspTransport;
  readonly timeouts?: Partial<RtspTimeouts>;
  readonly signal?: AbortSignal;
}

/** What a client that sets up and plays all tracks of a camera has seen of it. */
export interface Viewer {
  readonly session: RtspSession;
  readonly results: readonly SetupResult[];
  /** By track, in the order of `session.tracks`. */
  readonly packets: readonly RtpPacket[][];
  readonly reports: readonly SenderReport[][];
  readonly logged: readonly string[];
  /** One entry for each call of `onEnd`. */
  readonly ends: readonly (RtspError | undefined)[];
  /** Resolves with the first of them. */
  readonly ended: Promise<RtspError | undefined>;
  /** Resolves when so many packets of all tracks have come. */
  received(count: number): Promise<void>;
}

export const shortTimeouts = { connectMs: 5000, answerMs: 5000, firstPacketMs: 10_000, silenceMs: 5000 };

export async function openSession(
  url: string,
  { transport = 'tcp', timeouts, signal }: ViewerOptions = {},
  log: (sentence: string) => void = () => {},
): Promise<RtspSession> {
  const session = await openRtsp({
    address: parseRtspAddress(url),
    transport,
    timeouts: { ...shortTimeouts, ...timeouts },
    signal: signal ?? new AbortController().signal,
    log,
  });
  atEnd(() => session.close());
  return session;
}

/** It is closed when the test is over. @throws {RtspError} */
export async function view(url: string, options: ViewerOptions = {}): Promise<Viewer> {
  const logged: string[] = [];
  const session = await openSession(url, options, (sentence) => logged.push(sentence));
  const results = await session.setup(session.tracks);
  const packets = session.tracks.map((): RtpPacket[] => []);
  const reports = session.tracks.map((): SenderReport[] => []);
  const ends: (RtspError | undefined)[] = [];
  const { promise: ended, resolve } = withResolvers<RtspError | undefined>();
  await session.play({
    onPacket: (track, packet) => packets[session.tracks.indexOf(track)]?.push(packet),
    onReport: (track, report) => reports[session.tracks.indexOf(track)]?.push(report),
    onEnd: (error) => {
      ends.push(error);
      resolve(error);
    },
  });
  const received = async (count: number) => {
    const seen = () => packets.flat().length;
    await waitFor(() => seen() >= count || ends.length > 0, 15_000, `${count} packets`);
    if (seen() < count) throw new Error(`ended after ${seen()} packets: ${ends[0]?.message}`);
  };
  return { session, results, packets, reports, logged, ends, ended, received };
}

/** @returns what the promise fails with, which has to be an {@link RtspError}. */
export async function errorOf(promise: Promise<unknown>): Promise<RtspError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RtspError)) throw error;
  return error;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
