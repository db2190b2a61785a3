import type { Bus } from '../../bus/nats/bus.ts';
import type { LiveFormat, LivePacket } from '../../bus/packets/live-packet.ts';
import { commands, liveSubject } from '../../bus/subjects.ts';

/** When each picture is from. */
export const pictureTimeUs = 1_790_000_000_000_000;
export const liveFormat = {
  mime: 'video/mp4; codecs="avc1.42C01F"',
  codec: 'h264',
  width: 320,
  height: 240,
} as const;

/** A pipeline's process, as far as it answers for its live pictures. */
export class LivePipeline {
  readonly begins: boolean[] = [];
  isHeard = false;
  readonly #bus: Bus;
  readonly #monitorID: string;
  #session = '';
  #sequence = 0;

  constructor(bus: Bus, monitorID: string) {
    this.#bus = bus;
    this.#monitorID = monitorID;
    bus.respond(commands.live, [monitorID], ({ begin, sound }) => {
      this.begins.push(begin);
      this.isHeard = sound;
    });
  }

  send(packet: Partial<LivePacket> & Pick<LivePacket, 'kind' | 'sequence' | 'data'>): void {
    this.#bus.publishLive(liveSubject(this.#monitorID, 'main'), {
      ...{ remaining: 0, mediaUs: 1_000_000, timeUs: pictureTimeUs },
      session: this.#session,
      keyFrame: false,
      ...packet,
    });
  }

  begin(session: string, remaining = 1, of: LiveFormat = liveFormat): void {
    this.#session = session;
    this.#sequence = 0;
    this.send({ kind: 'start', sequence: 1, remaining, format: of, data: Buffer.from(`init of ${session}`) });
  }

  picture(data: string | Buffer, keyFrame = false, remaining = 0): void {
    this.#sequence += 1;
    this.send({
      kind: 'picture',
      sequence: this.#sequence,
      keyFrame,
      remaining,
      data: Buffer.from(data),
    });
  }

  sound(data: string): void {
    this.send({ kind: 'sound', sequence: 1, data: Buffer.from(data) });
  }

  /** A picture that gets lost on its way. */
  lose(): void {
    this.#sequence += 1;
  }
}
