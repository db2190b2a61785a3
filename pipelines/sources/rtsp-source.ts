import { parseRtspAddress, type RtspAddress } from '../../bus/base/rtsp-address.ts';
import type { Log } from '../../bus/log.ts';
import { AudioSync } from '../media/audio-sync.ts';
import { VideoTrack } from '../media/video-track.ts';
import type { PipelineEnd } from '../protocol/pipeline-protocol.ts';
import type { ConnectionReuse } from '../rtsp/connection-reuse.ts';
import { RtspError } from '../rtsp/protocol/rtsp-error.ts';
import type { RtspTrack } from '../rtsp/protocol/sdp.ts';
import { openRtsp } from '../rtsp/rtsp-client.ts';
import type { RtspSession } from '../rtsp/rtsp-session.ts';
import type { RtspTransport } from '../rtsp/track-setup.ts';
import { CameraAudio } from './camera-audio.ts';
import { type AudioChoice, announcedParameterSets, chooseAudio, chooseVideo } from './track-choice.ts';
import type { StreamHandlers, VideoInput } from './video-input.ts';

export interface RtspSourceOptions {
  readonly url: string;
  readonly transport: RtspTransport;
  /** Whether its audio is wanted. */
  readonly audio: boolean;
  /** How long the camera may take for each of its answers, and for its first picture. */
  readonly patienceMs: number;
  readonly log: Log;
  readonly monitorID: string;
  /** See {@link RtspOptions}. */
  readonly reuse?: ConnectionReuse | undefined;
}

const silenceMs = 5000;

/** A stream of a camera, as its RTSP session delivers it. */
export class RtspSource implements VideoInput {
  readonly #options: RtspSourceOptions;
  readonly #address: RtspAddress;
  readonly #controller = new AbortController();
  #resolve: (end: PipelineEnd) => void = () => {};
  readonly #cause = new Promise<PipelineEnd>((resolve) => {
    this.#resolve = resolve;
  });
  #session: RtspSession | undefined;
  #isPrompt = true;
  #video: VideoTrack | undefined;
  #audio: CameraAudio | undefined;

  /** @throws {RtspAddressError} */
  constructor(options: RtspSourceOptions) {
    this.#options = options;
    this.#address = parseRtspAddress(options.url);
  }

  async play(handlers: StreamHandlers): Promise<PipelineEnd> {
    this.#connect(handlers).catch((error: Error) => this.end(endOfError(error)));
    const end = await this.#cause;
    if (end.reason === 'stopped') await this.#session?.readRest();
    this.#video?.flush();
    await Promise.all([this.#session?.close(), this.#audio?.close()]);
    this.#controller.abort();
    return end;
  }

  setPrompt(isPrompt: boolean): void {
    this.#isPrompt = isPrompt;
    this.#session?.setPrompt(isPrompt);
  }

  rest(ms: number): void {
    this.#session?.rest(ms);
  }

  end(end: PipelineEnd): void {
    this.#resolve(end);
    // Before there is a session, there is nothing to close.
    if (!this.#session) this.#controller.abort();
  }

  async #connect(handlers: StreamHandlers): Promise<void> {
    const { transport, patienceMs, log, monitorID, audio, reuse } = this.#options;
    const session = await openRtsp({
      address: this.#address,
      transport,
      timeouts: {
        ...{ connectMs: patienceMs, answerMs: patienceMs, firstPacketMs: patienceMs },
        silenceMs,
      },
      signal: this.#controller.signal,
      log: (sentence) => log.debug(sentence, monitorID),
      reuse,
    });
    this.#session = session;
    session.setPrompt(this.#isPrompt);
    handlers.onTracks?.(session.tracks);
    const chosen = chooseVideo(session.tracks);
    if (!chosen) throw noVideo(session.tracks);
    const wanted = audio ? this.#chooseAudio(session.tracks) : undefined;
    const [result, other] = await session.setup([chosen.track, ...(wanted ? [wanted.track] : [])]);
    if (result?.error) throw result.error;
    if (other?.error) log.debug(`audio: ${other.error.message}; recording without it`, monitorID);
    const video = new VideoTrack({
      codec: chosen.codec,
      ticksPerSecond: chosen.track.clockRate,
      parameterSets: announcedParameterSets(chosen.track),
      onUnit: (unit) => handlers.onVideo(unit),
      onJump: (jump) => handlers.onJump(jump),
    });
    this.#video = video;
    const sync = new AudioSync();
    const sound =
      wanted && !other?.error
        ? new CameraAudio({ choice: wanted, sync, handlers, log, monitorID })
        : undefined;
    this.#audio = sound;
    if (!sound) handlers.onVideoOnly?.();
    let hasBegun = false;
    await session.play({
      onPacket: (track, packet) => {
        if (!hasBegun) handlers.onBegin?.();
        hasBegun = true;
        if (track === chosen.track) video.push(packet);
        else sound?.push(packet);
      },
      onReport: (track, { timestamp, wallClockUs }) => {
        if (track === chosen.track) sync.report('video', video.mediaUs(timestamp), wallClockUs);
        else sync.report('audio', sound?.mediaUs(timestamp), wallClockUs);
      },
      onEnd: (error) => this.end(error ? endOfError(error) : { reason: 'stopped', detail: '' }),
    });
  }

  /** @returns what its audio is recorded from, after one entry about audio that cannot be. */
  #chooseAudio(tracks: readonly RtspTrack[]): AudioChoice | undefined {
    const { log, monitorID } = this.#options;
    const choice = chooseAudio(tracks);
    const [first] = tracks.filter(({ media }) => media === 'audio');
    if (!choice && first)
      log.info(`audio: ${first.codec} cannot be recorded; recording without it`, monitorID);
    return choice;
  }
}

function endOfError(error: Error): PipelineEnd {
  return { reason: error instanceof RtspError ? error.code : 'failed', detail: error.message };
}

function noVideo(tracks: readonly RtspTrack[]): RtspError {
  const other = tracks.find(({ media }) => media === 'video');
  return new RtspError(
    'no_video',
    other ? `the camera offers ${other.codec} video, neither H.264 nor H.265` : 'the camera offers no video',
  );
}
