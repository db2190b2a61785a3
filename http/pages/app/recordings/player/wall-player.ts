import { batch, type Signal, signal } from '@preact/signals';
import { MonitorPlayback } from './monitor-playback.ts';

export const speeds = [0.5, 1, 2, 4, 8, 16] as const;

/** A time in which no monitor that is played recorded anything, and which was left out. In microseconds. */
export interface SkippedGap {
  readonly start: number;
  readonly end: number;
  /** The machine that recorded something then, and is away. */
  readonly away: string | undefined;
}

const tickMs = 50;
/** A shorter gap, as before the first frame of a recording, is not worth a sentence. */
const leastSaidUs = 2_000_000;
/** Monitors may be apart by so much, in seconds of playing; one that is further away is moved. */
const maxApartS = 0.15;
/** Faster by this share, one that is late catches up. */
const catchUp = 0.06;
/** Of a camera whose rate is not known yet, in seconds. */
const usualIntervalS = 1 / 15;
/** Faster than this, sound is noise. */
const maxSoundSpeed = 2;
/** Whoever waits for longer is told so, in milliseconds. */
const longMs = 700;
/** Without a picture for so long, in milliseconds, a video that should play is pushed on. */
const stuckMs = 1500;

/** Plays the recordings of several monitors in step: they all show the same time. Times are Unix times in microseconds. */
export class WallPlayer {
  readonly time: Signal<number | undefined>;
  readonly isPlaying = signal(false);
  readonly speed = signal<number>(1);
  /** Something has to be loaded first, and takes its time. */
  readonly isWaitingLong = signal(false);
  readonly skipped = signal<SkippedGap | undefined>(undefined);
  /** There is nothing later. */
  readonly isAtEnd = signal(false);
  /** Monitors that recorded nothing at this time. */
  readonly absent = signal<ReadonlySet<string>>(new Set());
  readonly problem = signal<string | undefined>(undefined);
  readonly hasSound = signal(false);
  readonly playbacks = signal<readonly MonitorPlayback[]>([]);
  #timer: ReturnType<typeof setInterval> | undefined;
  #intervalS = usualIntervalS;
  #stuck = { time: 0, sinceMs: 0 };
  #waitingSinceMs: number | undefined;

  /** @param time where the player is, which others follow. */
  constructor(time: Signal<number | undefined>) {
    this.time = time;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const playback of this.playbacks.value) playback.close();
  }

  /** Shows a monitor in a video element. @returns a function that ends it. */
  add(monitorID: string, video: HTMLVideoElement): () => void {
    const playback = new MonitorPlayback(monitorID, video, this.time.value ?? Date.now() * 1000);
    this.playbacks.value = [...this.playbacks.value, playback];
    this.#watchFrames(playback);
    return () => {
      this.playbacks.value = this.playbacks.value.filter((one) => one !== playback);
      playback.close();
    };
  }

  seek(time: number): void {
    batch(() => {
      this.time.value = Math.min(time, Date.now() * 1000);
      this.skipped.value = undefined;
      this.isAtEnd.value = false;
    });
    this.#tick();
  }

  play(): void {
    this.isPlaying.value = true;
    this.#tick();
  }

  pause(): void {
    this.isPlaying.value = false;
    this.#tick();
  }

  /** Stops, and shows the next frame or the one before. */
  step(direction: 1 | -1): void {
    this.pause();
    const time = this.time.value;
    if (time !== undefined) this.seek(time + direction * this.#intervalS * 1e6);
  }

  #tick(): void {
    const all = this.playbacks.value;
    const time = this.time.value;
    if (time === undefined || all.length === 0) return;
    const speed = this.speed.value;
    const states = all.map((playback) => {
      playback.feed(time, speed);
      return playback.readiness(time);
    });
    const shown = all.filter((_, index) => states[index] !== 'nothing');
    const absent = all.filter((_, index) => states[index] === 'nothing').map(({ monitorID }) => monitorID);
    const before = this.absent.value;
    if (absent.length !== before.size || absent.some((id) => !before.has(id)))
      this.absent.value = new Set(absent);
    const problems = all.map(({ index, problem }) => index.problem ?? problem);
    this.problem.value = problems.find((problem) => problem !== undefined);
    const isWaiting = states.includes('coming');
    this.#noteWaiting(isWaiting);
    for (const playback of all) playback.video.muted = !this.hasSound.value || speed > maxSoundSpeed;
    if (shown.length === 0) this.#skip(all, time);
    else if (isWaiting || !this.isPlaying.value) this.#hold(shown, time);
    else this.#run(shown, time, speed);
  }

  #noteWaiting(isWaiting: boolean): void {
    this.#waitingSinceMs = isWaiting ? (this.#waitingSinceMs ?? performance.now()) : undefined;
    const sinceMs = this.#waitingSinceMs;
    this.isWaitingLong.value = sinceMs !== undefined && performance.now() - sinceMs > longMs;
  }

  /** Nobody has anything to show: on to the next recording of anybody. */
  #skip(all: readonly MonitorPlayback[], time: number): void {
    for (const { video } of all) video.pause();
    const playable = all.filter(({ unplayable }) => unplayable.value === undefined);
    const starts = playable.flatMap(({ index }) => index.nextStart(time) ?? []);
    const next = Math.min(...starts);
    if (Number.isFinite(next)) {
      batch(() => {
        if (next - time >= leastSaidUs)
          this.skipped.value = { start: time, end: next, away: awayAt(all, time) };
        this.time.value = next + 1;
      });
    } else if (this.isPlaying.value) {
      batch(() => {
        this.isAtEnd.value = playable.length > 0 && awayAt(all, time) === undefined;
        this.isPlaying.value = false;
      });
    }
  }

  #hold(shown: readonly MonitorPlayback[], time: number): void {
    for (const playback of shown) {
      playback.video.pause();
      if (playback.readiness(time) === 'ready') playback.seek(time);
    }
  }

  /** The first one leads, the others keep up with it. */
  #run(shown: readonly MonitorPlayback[], time: number, speed: number): void {
    const [leader, ...others] = shown;
    if (!leader) return;
    const { video } = leader;
    const isFar = Math.abs(leader.time - time) > 0.5e6 * Math.max(1, speed);
    if (isFar || (video.paused && Math.abs(leader.time - time) > 1000)) leader.seek(time);
    video.playbackRate = speed;
    if (video.paused) video.play().catch(() => {});
    // While it seeks it says where it will be, not what it shows.
    if (!video.seeking) this.time.value = Math.max(leader.time, isFar ? 0 : time);
    this.#push(leader, speed);
    for (const playback of others) {
      const apartS = (playback.time - leader.time) / 1e6;
      if (Math.abs(apartS) > maxApartS * Math.max(1, speed)) playback.seek(leader.time);
      const share = apartS > 0.02 ? -catchUp : apartS < -0.02 ? catchUp : 0;
      playback.video.playbackRate = Math.min(16, speed * (1 + share));
      if (playback.video.paused) playback.video.play().catch(() => {});
    }
  }

  /** A hole of a few pictures, between two files, holds a video up for ever. */
  #push(leader: MonitorPlayback, speed: number): void {
    const now = performance.now();
    if (leader.video.seeking || leader.time !== this.#stuck.time) {
      this.#stuck = { time: leader.time, sinceMs: now };
    } else if (now - this.#stuck.sinceMs > stuckMs) {
      this.#stuck = { time: leader.time, sinceMs: now };
      this.seek(leader.time + 0.3e6 * Math.max(1, speed));
    }
  }

  /** Learns how far apart frames are. */
  #watchFrames(playback: MonitorPlayback): void {
    let last = 0;
    const next = (_: number, { mediaTime }: { readonly mediaTime: number }) => {
      if (!this.playbacks.value.includes(playback)) return;
      const distance = mediaTime - last;
      last = mediaTime;
      if (this.speed.value <= 1 && distance > 0.005 && distance < 0.6) {
        const isNearer = distance < this.#intervalS;
        this.#intervalS = isNearer ? distance : this.#intervalS * 0.9 + distance * 0.1;
      }
      playback.video.requestVideoFrameCallback(next);
    };
    playback.video.requestVideoFrameCallback?.(next);
  }
}

const awayAt = (all: readonly MonitorPlayback[], time: number) =>
  all.map(({ index }) => index.awayAt(time)).find((machine) => machine !== undefined);
