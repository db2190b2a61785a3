import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { Host } from './lab.ts';
import { project } from './project.ts';

/**
 * What a camera serves on one path: a file, over and over, or a gst-rtsp-server launch line.
 * `vui: false`: its H.264 says nothing of its frame rate and of the order of its pictures.
 */
export type Mount = { readonly file: string; readonly vui?: false } | { readonly launch: string };

export interface CameraOptions {
  /** By path, without a leading slash: `main`, `sub`, … */
  readonly mounts: Readonly<Record<string, Mount>>;
  /** 0, the default, takes a free port. Another one is for a camera that comes back. */
  readonly port?: number;
  /** Asked for on every mount when given. */
  readonly user?: string;
  readonly password?: string;
  readonly method?: 'basic' | 'digest';
  /** Where it has a network of its own. */
  readonly place?: Host;
  /** Further user names, with their passwords, that may log in by Digest. */
  readonly others?: readonly (readonly [string, string])[];
}

export interface Camera extends Pick<Child, 'pid' | 'kill' | 'stop'> {
  readonly port: number;
  /** The mount's address, with the user and password in it when the camera asks for them. */
  url(mount: string): string;
  /** The address with other credentials, or with none. */
  url(mount: string, user: string | undefined, password?: string): string;
  /** How many logins were attempted, right ones and wrong ones. */
  logins(): number;
  /** It stops answering and sending, with its connections open, as a camera does that hangs. */
  freeze(): void;
  thaw(): void;
  /** The same camera on the same port, after `kill` or `stop`. */
  restart(): Promise<Camera>;
}

/** Starts a real RTSP camera, on 127.0.0.1 unless it has a place. It is gone when the test is over. */
export async function startCamera(options: CameraOptions): Promise<Camera> {
  const { mounts, port = 0, user, password = '', method = 'digest', others = [], place } = options;
  const address = place?.address ?? '127.0.0.1';
  const login = user === undefined ? {} : { user, password, method, others };
  const script = join(project, 'test/camera/camera.py');
  // Debian's own Python is the one that has Debian's bindings.
  const program = ['/usr/bin/python3', script, JSON.stringify({ address, port, mounts, ...login })];
  const [command = '', ...args] = [...(place?.command ?? []), ...program];
  const child = startChild(command, args);
  const [, bound] = await child.line(/^\{"port": (\d+)\}$/);
  return {
    pid: child.pid,
    port: Number(bound),
    kill: child.kill,
    stop: child.stop,
    url(mount: string, ...credentials: [(string | undefined)?, string?]) {
      const [name, secret] = credentials.length > 0 ? credentials : [user, password];
      const authority =
        name === undefined ? '' : `${encodeURIComponent(name)}:${encodeURIComponent(secret ?? '')}@`;
      return `rtsp://${authority}${address}:${bound}/${mount}`;
    },
    logins: () => child.lines.filter((line) => line === '{"login": "attempted"}').length,
    freeze: () => child.signal('SIGSTOP'),
    thaw: () => child.signal('SIGCONT'),
    restart: () => startCamera({ ...options, port: Number(bound) }),
  };
}

const video = (width: number, height: number, framesPerSecond: number) =>
  `videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=${width},height=${height},framerate=${framesPerSecond}/1`;
/** With a key frame each second. */
const h264 =
  'x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=10 ! rtph264pay name=pay0 config-interval=-1';
const audio = (rate: number) => `audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=${rate},channels=1`;

function withSound(rate: number, encode: string): Mount {
  return { launch: `${video(320, 240, 10)} ! ${h264} ${audio(rate)} ! ${encode} name=pay1` };
}

/** Small cameras of every kind that a recorder may be pointed at. */
export const testMounts = {
  /** H.264 with a key frame each second: a ball that moves. */
  h264: (width = 320, height = 240, framesPerSecond = 10): Mount => ({
    launch: `${video(width, height, framesPerSecond)} ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max=${framesPerSecond} ! video/x-h264,profile=constrained-baseline ! rtph264pay name=pay0 config-interval=-1`,
  }),
  /** H.264 of an encoder that states no frame rate, with a key frame each second. */
  openh264: (framesPerSecond: number): Mount => ({
    launch: `${video(320, 240, framesPerSecond)} ! openh264enc complexity=low gop-size=${framesPerSecond} multi-thread=1 ! rtph264pay name=pay0 config-interval=-1`,
  }),
  h265: {
    launch: `${video(320, 240, 10)} ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph265pay name=pay0 config-interval=-1`,
  },
  mjpeg: { launch: `${video(320, 240, 10)} ! jpegenc ! rtpjpegpay name=pay0` },
  vp8: { launch: `${video(320, 240, 10)} ! vp8enc deadline=1 keyframe-max-dist=10 ! rtpvp8pay name=pay0` },
  /** H.264 and AAC. */
  withAudio: {
    launch: `${video(320, 240, 10)} ! ${h264} ${audio(16_000)} ! voaacenc ! rtpmp4gpay name=pay1 pt=97`,
  },
  /** H.264 and sound that is not AAC: ticks. */
  withSound: {
    PCMA: withSound(8000, 'alawenc ! rtppcmapay'),
    PCMU: withSound(8000, 'mulawenc ! rtppcmupay'),
    L16: withSound(16_000, 'audioconvert ! rtpL16pay pt=97'),
    G722: withSound(16_000, 'avenc_g722 ! rtpg722pay'),
    G726: withSound(8000, 'avenc_g726 bitrate=32000 ! rtpg726pay pt=97'),
    Opus: withSound(48_000, 'opusenc ! rtpopuspay pt=97'),
    MP3: withSound(44_100, 'lamemp3enc ! mpegaudioparse ! rtpmpapay'),
  },
  /** No video at all. */
  audioOnly: { launch: `${audio(8000)} ! alawenc ! rtppcmapay name=pay0` },
} as const;
