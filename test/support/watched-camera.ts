import { DecodedStream, type HeldFrames } from '../../actors/detectors/frames/decoded-stream.ts';
import type { UnitsCommand } from '../../bus/command-messages.ts';
import type { Frame } from '../../bus/frames.ts';
import { leases } from '../../bus/leases.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import { type UnitPacket, UnitPacketReader, unitPartsOf } from '../../bus/packets/unit-packet.ts';
import { commands, unitSubject } from '../../bus/subjects.ts';
import type { VideoConfig } from '../../pipelines/codecs/nal-unit.ts';
import { UnitStream } from '../../pipelines/frames/unit-stream.ts';
import { videoTicksPerSecond } from '../../pipelines/media/unit.ts';
import { numberedData } from './numbered-decoder.ts';
import { waitFor } from './wait.ts';

/** One picture of a camera, or slices of it that come later. */
export interface SentPicture {
  readonly kind: 'key' | 'picture' | 'continued';
  readonly bytes: number;
  /** It is shown so many periods of pictures later than it comes. */
  readonly shownLater?: number;
}

export interface WatchedCameraOptions {
  readonly picturesPerSecond: number;
  /** Frames of them. */
  readonly rate: number;
  readonly width?: number;
  readonly height?: number;
  /** Of motion detection; undefined: somebody else needs its frames. */
  readonly sleep?: boolean | undefined;
  readonly leastShare?: number;
  /** What is asked for takes so many pictures on its way. */
  readonly delay?: number;
  /** Whether motion shows between two frames, by the numbers of their pictures. */
  readonly moves?: (before: number, now: number) => boolean;
  /** Connections of the process that records and of the one that decodes; none: there is no bus between them. */
  readonly buses?: { readonly camera: Bus; readonly detectors: Bus };
  readonly monitorID?: string;
  /** Of the messages, by their numbers: those that the bus loses. */
  readonly isLost?: (message: number) => boolean;
}

/** What crossed the bus. */
export interface Crossed {
  /** Numbers of the pictures of each message; a notice has none. */
  readonly pictures: readonly number[];
  readonly bytes: number;
}

const beganUs = 1_732_112_595_000_000;
const config: VideoConfig = {
  ...({ codec: 'h264', width: 640, height: 360, parameterSets: [Buffer.from('67')] } as const),
  record: Buffer.from('0142c01fffe100', 'hex'),
};

/** A camera and the process that decodes it, with a bus between them in this one. Pictures are numbers and sizes. */
export class WatchedCamera {
  readonly crossed: Crossed[] = [];
  /** Numbers of the pictures that frames were made of, in their order. */
  readonly frames: number[] = [];
  /** Of those: motion was found, and events were published. */
  readonly found: number[] = [];
  readonly #options: WatchedCameraOptions;
  readonly #stream: DecodedStream;
  readonly #held: HeldFrames;
  #listener: ((packets: readonly UnitPacket[]) => void) | undefined;
  #units: UnitStream;
  readonly #commands: { readonly due: number; readonly command: UnitsCommand }[] = [];
  /** Numbers of the pictures by their times. */
  readonly #numbers = new Map<number, number>();
  #number = 0;
  /** In periods of pictures. */
  #time = -1;
  #messages = 0;
  #before: { readonly frame: Frame; readonly number: number } | undefined;

  constructor(options: WatchedCameraOptions) {
    this.#options = options;
    const { rate, sleep, leastShare = 0.003, monitorID = 'door', buses } = options;
    const bus: Pick<Bus, 'subscribeUnits' | 'publish'> = {
      subscribeUnits: (_, listener) => {
        this.#listener = listener;
        return () => {
          this.#listener = undefined;
        };
      },
      publish: (channel, _, message) => {
        this.#hear(commands.units.decode(channel.encode(message)));
      },
    };
    this.#stream = new DecodedStream({
      ...{ bus: buses?.detectors ?? (bus as Bus), monitorID, stream: 'main' },
      onFailure: (text) => {
        throw new Error(text);
      },
      onAsleep: () => {},
    });
    this.#units = this.#connect();
    buses?.camera.subscribe(commands.units, [monitorID], (command) => {
      this.#listener ??= () => {};
      this.#hear(command);
    });
    this.#held = this.#stream.open(
      { format: 'gray', rate, stream: 'main' },
      (frame) => this.#look(frame),
      sleep === undefined ? undefined : { leastShare, maySleep: sleep },
    );
  }

  get counts() {
    return this.#stream.sleepCounts;
  }

  /** The number of the next picture. */
  get next(): number {
    return this.#number;
  }

  /** Another connection to the camera. */
  reconnect(): void {
    this.#units.close();
    this.#units = this.#connect();
  }

  /** Nothing comes for so many periods of pictures. */
  pause(periods: number): void {
    this.#time += periods;
  }

  async send(pictures: readonly SentPicture[]): Promise<void> {
    const { picturesPerSecond, width = 640, height = 360 } = this.#options;
    if (this.#number === 0) {
      this.#held.renew();
      // The decoder's modules are being loaded.
      await waitFor(() => this.#listener, 20_000, 'a wish for pictures');
    }
    for (const { kind, bytes, shownLater = 0 } of pictures) {
      if (kind !== 'continued') this.#time += 1;
      const seconds = (this.#time + shownLater) / picturesPerSecond;
      const number = this.#number++;
      const time = seconds * videoTicksPerSecond;
      if (kind !== 'continued') this.#numbers.set(Math.round(beganUs + seconds * 1e6), number);
      if (number % Math.ceil((leases.frames.renewMs / 1000) * picturesPerSecond) === 0) this.#held.renew();
      this.#command();
      this.#units.push({
        ...{ config: { ...config, width, height }, time, arrivedMs: 0 },
        ...{ keyFrame: kind === 'key', continues: kind === 'continued' },
        data: numberedData(number, bytes, kind),
      });
      // What is asked for goes its way.
      await new Promise(setImmediate);
    }
  }

  /** Somebody else needs frames, now or later. */
  open(rate: number, isAsked = true): HeldFrames {
    const held = this.#stream.open({ format: 'gray', rate, stream: 'main' }, () => {});
    if (isAsked) held.renew();
    return held;
  }

  end(): void {
    this.#held.end();
  }

  #connect(): UnitStream {
    const reader = new UnitPacketReader();
    const { buses, monitorID = 'door' } = this.#options;
    return new UnitStream({
      clock: { at: (mediaUs) => beganUs + mediaUs },
      onUnits: (units) => {
        const parts = unitPartsOf(units);
        const packets = parts.flatMap(({ data, header }) => reader.read(data, header));
        this.crossed.push({
          pictures: packets
            .filter(({ isNotice }) => !isNotice)
            .map(({ data }) => Buffer.from(data).readUInt32BE(data.length - 4)),
          bytes: parts.reduce((sum, { data, header }) => sum + data.length + header.length, 0),
        });
        if (buses) buses.camera.publishUnits(unitSubject(monitorID, 'main'), packets);
        else if (!this.#options.isLost?.(this.#messages++)) this.#listener?.(packets);
      },
    });
  }

  #hear(command: UnitsCommand): void {
    const { delay = 0 } = this.#options;
    this.#commands.push({ due: this.#number + delay, command });
    if (delay === 0) this.#command();
  }

  #command(): void {
    while ((this.#commands[0]?.due ?? Number.POSITIVE_INFINITY) <= this.#number) {
      const command = this.#commands.shift()?.command;
      if (command) this.#units.want(command);
    }
  }

  /** As motion detection does. */
  #look(frame: Frame): void {
    const number = this.#numbers.get(frame.timeUs);
    if (number === undefined) throw new Error(`no picture was taken at ${frame.timeUs}`);
    this.frames.push(number);
    const before = this.#before;
    this.#before = { frame, number };
    if (!before || frame.sequence <= before.frame.sequence) return;
    if (!this.#options.moves?.(before.number, number)) return;
    const { timeUs } = frame;
    this.#held.noteMotion({
      ...{ sinceUs: before.frame.timeUs, timeUs },
      publish: () => this.found.push(number),
    });
  }
}
