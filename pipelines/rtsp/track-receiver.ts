import { RtspError, unreadable } from './protocol/rtsp-error.ts';
import type { RtspTrack } from './protocol/sdp.ts';
import { Reception, type ReceptionCounts } from './rtp/reception.ts';
import { isRtcp, type SenderReport } from './rtp/rtcp.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import type { UdpPorts } from './udp-ports.ts';

export interface ReceiverHandlers {
  onPacket(track: RtspTrack, packet: RtpPacket): void;
  onReport(track: RtspTrack, report: SenderReport): void;
  /** Nothing comes, or nothing can be made of it. May be called again. */
  onFault(error: RtspError): void;
}

const reportIntervalMs = 5000;

interface Receiving {
  readonly reception: Reception;
  readonly sendReport: (report: Buffer) => void;
  readonly close: () => void;
}

/** Receives the packets of all tracks of a session, over either transport, and watches for silence. */
export class Receiver {
  readonly #connection: RtspConnection;
  readonly #handlers: ReceiverHandlers;
  readonly #receiving: Receiving[] = [];
  readonly #byChannel = new Map<number, Reception>();
  #reporting: NodeJS.Timeout | undefined;
  #check: NodeJS.Timeout | undefined;
  #lastArrivalMs: number | undefined;
  #isClosed = false;

  constructor(connection: RtspConnection, handlers: ReceiverHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    connection.onFrame = (channel, data, arrivedMs) => this.#takeFrame(channel, data, arrivedMs);
  }

  addTcp(track: RtspTrack, channels: readonly [number, number]): void {
    const reception = this.#receive(track, false);
    for (const channel of channels) {
      this.#byChannel.set(channel, reception);
      this.#connection.channels.add(channel);
    }
    const sendReport = (report: Buffer) => this.#connection.send(channels[1], report);
    this.#receiving.push({ reception, sendReport, close: () => reception.close() });
  }

  /**
   * @param ports are closed with this receiver, at once where that is over
   * @param reportPort the camera's port of RTCP; without one it is sent none.
   */
  addUdp(track: RtspTrack, ports: UdpPorts, reportPort: number | undefined): void {
    // It was closed before the camera answered SETUP.
    if (this.#isClosed) {
      ports.close();
      return;
    }
    const reception = this.#receive(track, true);
    ports.onPacket = (data) => this.#take(reception, data, performance.now());
    this.#receiving.push({
      reception,
      sendReport: (report) => {
        if (reportPort !== undefined) ports.sendReport(report, reportPort);
      },
      close: () => {
        reception.close();
        ports.close();
      },
    });
  }

  /** Begins to expect packets, of video if any is received, and to report on them. */
  start({ firstPacketMs, silenceMs }: { readonly firstPacketMs: number; readonly silenceMs: number }): void {
    const beganMs = performance.now();
    const what = this.#receiving.some(({ reception }) => isVideo(reception)) ? 'video' : 'packet';
    const check = (isRead: boolean) => {
      if (this.#isClosed) return;
      const silentMs = performance.now() - (this.#lastArrivalMs ?? beganMs);
      const hasBegun = this.#lastArrivalMs !== undefined;
      const leftMs = (hasBegun ? silenceMs : firstPacketMs) - silentMs;
      if (leftMs > 0) {
        // The first packet may come at any moment.
        this.#check = setTimeout(() => check(false), Math.min(leftMs, silenceMs));
      } else if (!isRead) {
        // Where the process stood still, the socket holds what came meanwhile.
        setImmediate(() => check(true));
      } else if (hasBegun) {
        this.#silence(`no ${what} for ${silenceMs / 1000} s`);
      } else {
        const way = this.#byChannel.size === 0 ? ' over UDP' : '';
        this.#silence(`connected, but no ${what} came${way} within ${firstPacketMs / 1000} s`);
      }
    };
    const report = () => {
      try {
        for (const { reception, sendReport } of this.#receiving) {
          const data = reception.report();
          if (data) sendReport(data);
        }
      } catch (error) {
        this.#handlers.onFault(unreadable(error));
      }
    };
    check(false);
    this.#reporting = setInterval(report, reportIntervalMs);
  }

  counts(track: RtspTrack): ReceptionCounts | undefined {
    return this.#receiving.find(({ reception }) => reception.track === track)?.reception.counts;
  }

  /** To be called once. The counts stay. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#check);
    clearInterval(this.#reporting);
    for (const { close } of this.#receiving) close();
    this.#byChannel.clear();
  }

  #receive(track: RtspTrack, reorder: boolean): Reception {
    return new Reception(track, reorder, {
      onPacket: (packet) => {
        try {
          this.#handlers.onPacket(track, packet);
        } catch (error) {
          this.#handlers.onFault(unreadable(error));
        }
      },
      onReport: (report) => this.#handlers.onReport(track, report),
    });
  }

  /** The channel says of which track a packet is, unless its payload type is another track's. */
  #takeFrame(channel: number, data: Buffer, arrivedMs: number): void {
    const agreed = this.#byChannel.get(channel);
    const reception =
      agreed && (agreed.isOwn(data) || isRtcp(data))
        ? agreed
        : (this.#receiving.find((one) => one.reception.isOwn(data))?.reception ?? agreed);
    if (reception) this.#take(reception, data, arrivedMs);
  }

  #take(reception: Reception, data: Buffer, arrivedMs: number): void {
    const isMedia = reception.take(data, arrivedMs);
    if (!isMedia || arrivedMs === this.#lastArrivalMs) return;
    if (isVideo(reception) || !this.#receiving.some((one) => isVideo(one.reception)))
      this.#lastArrivalMs = arrivedMs;
  }

  #silence(text: string): void {
    this.#handlers.onFault(new RtspError('silent', text));
  }
}

function isVideo({ track }: Reception): boolean {
  return track.media === 'video';
}
