import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { RtspError } from './protocol/rtsp-error.ts';

const maxTries = 30;
/** A key frame comes in one burst. The system grants as much of it as it likes. */
const receiveBufferBytes = 4 * 1024 * 1024;

export interface UdpEnds {
  /** The address of this machine that the camera sends to. */
  readonly localAddress: string;
  /** The camera's: nothing from anywhere else is heard. */
  readonly remoteAddress: string;
}

/** A port for RTP, which is even, and the next one for RTCP. */
export class UdpPorts {
  onPacket: (data: Buffer) => void = () => {};
  readonly #remoteAddress: string;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;

  private constructor(rtp: Socket, rtcp: Socket, remoteAddress: string) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#remoteAddress = remoteAddress;
    for (const socket of [rtp, rtcp]) {
      socket.on('message', (data, { address }) => {
        if (address === remoteAddress) this.onPacket(data);
      });
      // Undeliverable reports, as a rule; that nothing comes shows by itself.
      socket.on('error', () => {});
    }
  }

  /** @throws {RtspError} `unreachable`, when no two ports are free. */
  static async open({ localAddress, remoteAddress }: UdpEnds): Promise<UdpPorts> {
    for (let tries = 0; tries < maxTries; tries++) {
      const rtp = await bind(localAddress, 0);
      if (!rtp) continue;
      const { port } = rtp.address();
      const rtcp = port % 2 === 0 ? await bind(localAddress, port + 1) : undefined;
      if (rtcp) return new UdpPorts(rtp, rtcp, remoteAddress);
      rtp.close();
    }
    throw new RtspError('unreachable', 'no two UDP ports in a row are free');
  }

  /** The port of RTP; that of RTCP is the next one. */
  get port(): number {
    return this.#rtp.address().port;
  }

  /** @param port the camera's, of RTCP. */
  sendReport(data: Buffer, port: number): void {
    this.#rtcp.send(data, port, this.#remoteAddress, () => {});
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}

/** @returns undefined when the port is taken. */
async function bind(address: string, port: number): Promise<Socket | undefined> {
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
