import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { atEnd } from './cleanup.ts';

export interface FakeBrokerOptions {
  /** Closes the connection on a publication on this topic, as brokers of MQTT 3.1.1 do that refuse it. */
  readonly closesOn?: string;
  /** Never confirms the first publication on this topic. */
  readonly forgets?: string;
  /** Never answers the first subscription to this topic. */
  readonly ignores?: string;
}

export interface FakeBroker {
  readonly port: number;
  /** The topics and payloads that were confirmed, in their order. */
  readonly confirmed: readonly (readonly [topic: string, payload: string])[];
  /** Ends all connections, and accepts none until it is up again. */
  setDown(isDown: boolean): void;
  /** How many connections it has ended at once because it was down. */
  readonly refused: number;
  /** How often a client has connected. */
  readonly logins: number;
}

/** A broker of MQTT 3.1.1 alone, that takes publications, and subscriptions to one topic each, and sends nothing to anybody. */
export async function startFakeBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const { closesOn, forgets, ignores } = options;
  const confirmed: [string, string][] = [];
  const sockets = new Set<Socket>();
  let logins = 0;
  let left = forgets;
  let ignored = ignores;
  let isDown = false;
  let refused = 0;
  const server = createServer((socket) => {
    if (isDown) {
      refused += 1;
      return socket.destroy();
    }
    sockets.add(socket);
    let unread = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      unread = Buffer.concat([unread, data]);
      for (let packet = firstPacket(unread); packet; packet = firstPacket(unread)) {
        unread = unread.subarray(packet.length);
        answer(socket, packet.type, packet.body);
      }
    });
    return undefined;
  });
  const answer = (socket: Socket, type: number, body: Buffer) => {
    if (type === 1) {
      // After the name `MQTT`, the version.
      const isKnown = body[6] === 4;
      if (isKnown) logins += 1;
      socket.write(Buffer.from([0x20, 2, 0, isKnown ? 0 : 1]));
      if (!isKnown) socket.end();
    } else if (type === 3) {
      const end = 2 + body.readUInt16BE(0);
      const topic = body.subarray(2, end).toString();
      if (topic === closesOn) return socket.destroy();
      if (topic === left) {
        left = undefined;
        return undefined;
      }
      confirmed.push([topic, body.subarray(end + 2).toString()]);
      socket.write(Buffer.concat([Buffer.from([0x40, 2]), body.subarray(end, end + 2)]));
    } else if (type === 8) {
      // After the packet's number, the length of the topic.
      if (body.subarray(4, -1).toString() === ignored) ignored = undefined;
      else socket.write(Buffer.concat([Buffer.from([0x90, 3]), body.subarray(0, 2), Buffer.from([1])]));
    } else if (type === 12) socket.write(Buffer.from([0xd0, 0]));
    return undefined;
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    confirmed,
    setDown(down) {
      isDown = down;
      if (down) for (const socket of sockets) socket.destroy();
    },
    get refused() {
      return refused;
    },
    get logins() {
      return logins;
    },
  };
}

/** The first whole packet of these bytes: its type, what follows its header, and its whole length. */
function firstPacket(bytes: Buffer): { type: number; body: Buffer; length: number } | undefined {
  let size = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at += 1) {
    const digit = bytes[at] ?? 0;
    size += (digit & 127) * 128 ** (at - 1);
    if (digit > 127) continue;
    const length = at + 1 + size;
    if (bytes.length < length) return undefined;
    return { type: (bytes[0] ?? 0) >> 4, body: bytes.subarray(at + 1, length), length };
  }
  return undefined;
}
