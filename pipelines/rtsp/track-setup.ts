import { controlUrl } from './protocol/control-url.ts';
import { RtspError, refusal } from './protocol/rtsp-error.ts';
import { header, isSuccess } from './protocol/rtsp-message.ts';
import type { RtspTrack } from './protocol/sdp.ts';
import {
  parseSessionHeader,
  parseTransportHeader,
  type SessionHeader,
  type TransportHeader,
} from './protocol/session-headers.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import type { Receiver } from './track-receiver.ts';
import { UdpPorts } from './udp-ports.ts';

export type RtspTransport = 'tcp' | 'udp';

/** The result of SETUP for one track. */
export interface SetupResult {
  readonly track: RtspTrack;
  /** The one that the camera agreed to, or that it was asked for last. */
  readonly transport: RtspTransport;
  /** The camera does not give this track. The others are not affected. */
  readonly error?: RtspError;
}

export interface TrackSetupOptions {
  readonly connection: RtspConnection;
  /** The base URL of the tracks' control URLs. */
  readonly base: string;
  /** The one to ask for first. */
  readonly transport: RtspTransport;
  readonly log: (sentence: string) => void;
}

const unsupportedTransport = 461;
const otherTransport = { tcp: 'udp', udp: 'tcp' } as const;

/** SETUP, track by track. A transport that the camera does not have is exchanged for the other one. */
export class TrackSetup {
  /** As the camera named it last. */
  session: SessionHeader | undefined;
  readonly #options: TrackSetupOptions;
  readonly #receiver: Receiver;
  #transport: RtspTransport;
  #nextChannel: number;

  constructor(receiver: Receiver, options: TrackSetupOptions) {
    this.#receiver = receiver;
    this.#options = options;
    this.#transport = options.transport;
    // Late packets of the session before it over the same connection are not this one's.
    this.#nextChannel = 2 * Math.ceil((Math.max(-1, ...options.connection.channels) + 1) / 2);
  }

  /** @throws {RtspError} when the connection is over; the signal's reason when it aborts. */
  async ask(track: RtspTrack): Promise<SetupResult> {
    const first = this.#transport;
    try {
      if (await this.#askOver(first, track)) return { track, transport: first };
      const second = otherTransport[first];
      this.#options.log(`the camera does not send ${track.media} over ${first}; asking for ${second}`);
      this.#transport = second;
      if (await this.#askOver(second, track)) return { track, transport: second };
      throw new RtspError(
        'unreachable',
        'the camera sends neither over TCP nor over UDP',
        unsupportedTransport,
      );
    } catch (error) {
      if (!(error instanceof RtspError) || this.#options.connection.isClosed) throw error;
      return { track, transport: this.#transport, error };
    }
  }

  /** @returns false when the camera does not have this transport. */
  #askOver(transport: RtspTransport, track: RtspTrack): Promise<boolean> {
    return transport === 'tcp' ? this.#askTcp(track) : this.#askUdp(track);
  }

  async #askTcp(track: RtspTrack): Promise<boolean> {
    const asked = [this.#nextChannel, this.#nextChannel + 1] as const;
    const agreed = await this.#request(track, `RTP/AVP/TCP;unicast;interleaved=${asked.join('-')}`);
    if (!agreed || agreed.transport === 'udp') return false;
    this.#nextChannel += 2;
    this.#receiver.addTcp(track, agreed.channels ?? asked);
    return true;
  }

  async #askUdp(track: RtspTrack): Promise<boolean> {
    const ports = await UdpPorts.open(this.#options.connection);
    let agreed: TransportHeader | undefined;
    try {
      agreed = await this.#request(track, `RTP/AVP;unicast;client_port=${ports.port}-${ports.port + 1}`);
    } catch (error) {
      ports.close();
      throw error;
    }
    if (!agreed || agreed.transport === 'tcp') {
      ports.close();
      return false;
    }
    this.#receiver.addUdp(track, ports, agreed.serverPorts?.[1]);
    return true;
  }

  /** @returns undefined when the camera does not have this transport. @throws {RtspError} */
  async #request(track: RtspTrack, transport: string): Promise<TransportHeader | undefined> {
    const { connection, base } = this.#options;
    const url = controlUrl(base, track.control);
    const answer = await connection.request('SETUP', url, {
      Transport: transport,
      Session: this.session?.id,
    });
    if (answer.status === unsupportedTransport) return undefined;
    if (!isSuccess(answer)) throw refusal('SETUP', answer.status ?? 0);
    this.session = parseSessionHeader(header(answer, 'session')) ?? this.session;
    return parseTransportHeader(header(answer, 'transport'));
  }
}
