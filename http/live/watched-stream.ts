import { leases } from '../../bus/leases.ts';
import type { DetectionEvent } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { LiveFormat, LivePacket } from '../../bus/packets/live-packet.ts';
import type { RecordedStream } from '../../bus/recording-id.ts';
import { commands, events, liveSubject } from '../../bus/subjects.ts';
import { liveMessage } from './live-messages.ts';
import type { LiveViewer } from './live-viewer.ts';

export interface WatchedStreamOptions {
  readonly bus: Bus;
  readonly monitorID: string;
  readonly stream: RecordedStream;
}

/** Until pictures come, they are asked for this often. */
const askMs = 500;
const maxGroupBytes = 32 * 1024 * 1024;

/** What is known of the session whose pictures come. */
interface Session {
  readonly id: string;
  format: LiveFormat;
  readonly init: Buffer;
}

/** One stream that is watched: it comes over the bus once, and each picture goes to all its viewers as it is. */
export class WatchedStream {
  readonly #options: WatchedStreamOptions;
  readonly #viewers = new Set<LiveViewer>();
  /** Those that have no picture yet. */
  readonly #awaiting = new Set<LiveViewer>();
  readonly #unsubscribe: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #askedMs = Number.NEGATIVE_INFINITY;
  #session: Session | undefined;
  /** The pictures since the last key frame; empty when there was too much, or something is missing. */
  #group: LivePacket[] = [];
  #groupBytes = 0;
  #sequence = 0;
  #soundSequence = 0;
  /** More of the group follows at once. */
  #isIncomplete = false;
  /** Something is missing: pictures go on with the next key frame. */
  #isBroken = false;

  constructor(options: WatchedStreamOptions) {
    const { bus, monitorID, stream } = options;
    this.#options = options;
    this.#unsubscribe = [
      bus.subscribeLive(liveSubject(monitorID, stream), (packet) => this.#take(packet)),
      bus.subscribe(events, [monitorID, '*'], (event) => this.#takeEvent(event)),
    ];
    this.#timer = setInterval(() => this.#renew(), askMs);
    this.ask();
  }

  get viewers(): ReadonlySet<LiveViewer> {
    return this.#viewers;
  }

  add(viewer: LiveViewer): void {
    const isHeard = this.#isHeard;
    this.#viewers.add(viewer);
    this.#awaiting.add(viewer);
    this.#startAwaiting();
    if (this.#isHeard && !isHeard) this.ask();
  }

  delete(viewer: LiveViewer): void {
    this.#viewers.delete(viewer);
    this.#awaiting.delete(viewer);
  }

  /** The camera is gone: its viewers get pictures again when another session begins. */
  reset(): void {
    this.#session = undefined;
    this.#group = [];
    for (const viewer of this.#viewers) this.#awaiting.add(viewer);
  }

  /** Renews the lease, at once. */
  ask(): void {
    const { bus, monitorID, stream } = this.#options;
    this.#askedMs = performance.now();
    const begin = this.#session === undefined || this.#isBroken;
    // No answer: the monitor has no pipeline now.
    bus.request(commands.live, [monitorID], { stream, begin, sound: this.#isHeard }).catch(() => {});
  }

  close(): void {
    clearInterval(this.#timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  get #isHeard(): boolean {
    return [...this.#viewers].some(({ listens }) => listens);
  }

  #renew(): void {
    const isDue = performance.now() - this.#askedMs >= leases.live.renewMs;
    if (isDue || this.#session === undefined || this.#isBroken) this.ask();
  }

  #take(packet: LivePacket): void {
    const { kind, session, sequence, format } = packet;
    if (kind === 'start' && session !== this.#session?.id && format) {
      this.reset();
      this.#session = { id: session, format, init: bufferOf(packet) };
      this.#sequence = sequence - 1;
      this.#soundSequence = 0;
      this.#isBroken = false;
    } else if (session === this.#session?.id) {
      if (kind === 'start' && format) this.#learnSound(format);
      if (kind === 'sound') this.#takeSound(packet);
      if (kind === 'end') this.reset();
      if (kind === 'picture') this.#takePicture(packet);
    }
  }

  #takePicture(packet: LivePacket): void {
    const { sequence, keyFrame, remaining } = packet;
    const next = this.#sequence + 1;
    // The group is sent again for another viewer of this stream.
    if (sequence < next) return;
    if (sequence > next && !keyFrame) {
      if (!this.#isBroken) {
        this.#isBroken = true;
        this.ask();
      }
      return;
    }
    this.#isBroken = false;
    this.#sequence = sequence;
    this.#isIncomplete = remaining > 0;
    this.#keep(packet);
    const fragment = bufferOf(packet);
    for (const viewer of this.#viewers) {
      if (!this.#awaiting.has(viewer)) viewer.push(fragment, keyFrame, sequence > next);
    }
    this.#startAwaiting();
  }

  /** Those who listen begin anew: a player takes a second track at its beginning only. */
  #learnSound(format: LiveFormat): void {
    if (!this.#session || !format.sound || format.sound.init === this.#session.format.sound?.init) return;
    this.#session.format = format;
    for (const viewer of this.#viewers) if (viewer.listens) this.#awaiting.add(viewer);
    this.#startAwaiting();
  }

  #takeSound(packet: LivePacket): void {
    if (packet.sequence <= this.#soundSequence) return;
    this.#soundSequence = packet.sequence;
    const fragment = bufferOf(packet);
    for (const viewer of this.#viewers) {
      if (viewer.listens && !this.#awaiting.has(viewer)) viewer.push(fragment, false, false);
    }
  }

  /** Only to those who have the picture that it is about, or an earlier one. */
  #takeEvent({ source, time, detections }: DetectionEvent): void {
    const last = this.#group.at(-1);
    if (!this.#session || !last) return;
    const mediaTime = Math.max(0, last.mediaUs + time - last.timeUs) / 1e6;
    const text = liveMessage({ type: 'detections', source, mediaTime, time, detections });
    for (const viewer of this.#viewers) if (!this.#awaiting.has(viewer)) viewer.send(text);
  }

  #keep(packet: LivePacket): void {
    if (packet.keyFrame) {
      this.#group = [];
      this.#groupBytes = 0;
    } else if (this.#group.length === 0) return;
    this.#group.push(packet);
    this.#groupBytes += packet.data.length;
    if (this.#groupBytes > maxGroupBytes) this.#group = [];
  }

  #startAwaiting(): void {
    const [first] = this.#group;
    if (this.#awaiting.size === 0 || !this.#session || !first) return;
    if (this.#isIncomplete || this.#isBroken) return;
    const { format, init } = this.#session;
    const { sound, ...picture } = format;
    const { mediaUs, timeUs } = first;
    const message = { type: 'start', ...picture, mediaTime: mediaUs / 1e6, time: timeUs } as const;
    const silent = liveMessage(message);
    const heard = sound ? liveMessage({ ...message, sound }) : silent;
    const data = Buffer.concat([init, ...this.#group.map(bufferOf)]);
    for (const viewer of this.#awaiting) viewer.start(viewer.listens ? heard : silent, data);
    this.#awaiting.clear();
  }
}

/** The same bytes. */
function bufferOf({ data }: LivePacket): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}
