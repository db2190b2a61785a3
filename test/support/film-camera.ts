import { setTimeout as sleep } from 'node:timers/promises';
import { FakeCamera, oneVideo } from './fake-camera.ts';
import { filmSound, makeFilm } from './film.ts';
import { packetsOf } from './rtp.ts';
import { writeRtp, writeSenderReport } from './rtp-writer.ts';

export interface FilmCameraOptions {
  readonly seconds: number;
  /** The lines of its description that are the audio's, and the payload type; what it sends is A-law nevertheless. */
  readonly audioSdp?: readonly string[];
  readonly audioPayloadType?: number;
  /** It sends each packet of audio so long after the picture of the same moment. */
  readonly audioDelayMs?: number;
  /** The part of the sound that it sends. */
  readonly audioFromMs?: number;
  readonly audioUntilMs?: number;
  /** The part of it that is lost on the way. */
  readonly audioLossMs?: readonly [number, number];
  /** How far its clock is from the right time at a moment of the film; it sends no reports without. */
  readonly clockErrorMs?: (atMs: number) => number;
}

/** G.711 by its fixed payload type, as most cameras have it. */
const pcma = ['m=audio 0 RTP/AVP 8', 'a=control:trackID=1'];
const packetMs = 20;
/** The audio's times wrap after four seconds, and have nothing in common with the picture's. */
const firstAudioTimestamp = 2 ** 32 - 4 * 8000;

interface TimedPacket {
  readonly atMs: number;
  readonly channel: number;
  readonly data: Buffer;
}

/** A camera that shows a film once, in real time, with H.264 and A-law. */
export async function startFilmCamera(options: FilmCameraOptions): Promise<FakeCamera> {
  const packets = [...(await picture(options)), ...(await sound(options)), ...reports(options)];
  packets.sort((a, b) => a.atMs - b.atMs);
  return FakeCamera.start({
    sdp: `${oneVideo}${[...(options.audioSdp ?? pcma), ''].join('\r\n')}`,
    play: async (connection) => {
      const began = performance.now();
      for (const { atMs, ...packet } of packets) {
        const early = began + atMs - performance.now();
        if (early > 0) await sleep(early);
        if (!connection.socket.writable) return;
        await connection.send(packet);
      }
    },
  });
}

async function picture({ seconds }: FilmCameraOptions): Promise<TimedPacket[]> {
  const path = await makeFilm(seconds);
  const line = `filesrc location=${path} ! qtdemux ! h264parse ! rtph264pay config-interval=-1 timestamp-offset=0`;
  return (await packetsOf(line)).map((data) => ({ atMs: data.readUInt32BE(4) / 90, channel: 0, data }));
}

async function sound(options: FilmCameraOptions): Promise<TimedPacket[]> {
  const { seconds, audioDelayMs = 0, audioPayloadType = 8 } = options;
  const [lostFromMs, lostUntilMs] = options.audioLossMs ?? [0, 0];
  const { audioFromMs = 0, audioUntilMs = Number.POSITIVE_INFINITY } = options;
  const samples = await filmSound(seconds);
  const length = packetMs * 8;
  return Array.from({ length: Math.floor(samples.length / length) }, (_, sequence) => {
    const timestamp = firstAudioTimestamp + sequence * length;
    const payload = samples.subarray(sequence * length, (sequence + 1) * length);
    const data = writeRtp({
      payloadType: audioPayloadType,
      sequence,
      timestamp: timestamp % 2 ** 32,
      payload,
      ssrc: 2,
    });
    return { takenMs: sequence * packetMs, channel: 2, data };
  })
    .filter(({ takenMs }) => takenMs >= audioFromMs && takenMs < audioUntilMs)
    .filter(({ takenMs }) => takenMs < lostFromMs || takenMs >= lostUntilMs)
    .map(({ takenMs, channel, data }) => ({ atMs: takenMs + audioDelayMs, channel, data }));
}

/** Of both tracks, one after the other. */
function reports({ seconds, audioDelayMs = 0, clockErrorMs }: FilmCameraOptions): TimedPacket[] {
  if (!clockErrorMs) return [];
  const beganMs = Date.UTC(2026, 10, 23);
  return Array.from({ length: seconds }, (_, second) => second * 1000).flatMap((takenMs) => {
    const wallMs = (atMs: number) => beganMs + takenMs + clockErrorMs(atMs);
    const [videoAt, audioAt] = [takenMs + 100, takenMs + audioDelayMs + 300];
    const audioTimestamp = (firstAudioTimestamp + takenMs * 8) % 2 ** 32;
    return [
      { atMs: videoAt, channel: 1, data: writeSenderReport(wallMs(videoAt), takenMs * 90) },
      { atMs: audioAt, channel: 3, data: writeSenderReport(wallMs(audioAt), audioTimestamp, 2) },
    ];
  });
}
