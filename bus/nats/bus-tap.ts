import { connect, type Msg } from '@nats-io/transport-node';
import { readFrame } from '../frames.ts';
import { type BusAddress, connectionOptions } from './bus-address.ts';

/** Longest part of a message that is shown, in bytes. */
const maxLength = 2000;

export interface BusTap {
  /** Resolves when the connection to the server is lost, or after `close`. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Shows the messages of the bus without publishing any.
 *
 * @param subject with NATS's wildcards: `events.>`, `logs.*.recorder.*`.
 * @param onMessage is called with one readable line for each message. Of frames, only the size is shown.
 * @throws if no server answers, or if it refuses the credentials or the subject.
 */
export async function openTap(
  address: BusAddress,
  subject: string,
  onMessage: (line: string) => void,
): Promise<BusTap> {
  const connection = await connect({ ...connectionOptions(address, 'tap'), reconnect: false });
  connection.subscribe(subject, {
    callback: (error, message) => {
      if (!error) onMessage(describe(message));
    },
  });
  await connection.flush();
  return { ended: connection.closed().then(() => {}), close: () => connection.close() };
}

function describe({ subject, data, headers }: Msg): string {
  const frame = readFrame(data, headers);
  if (frame)
    return `${subject} frame ${frame.sequence}: ${frame.width}x${frame.height}, ${data.length} bytes`;
  const text = new TextDecoder().decode(data.subarray(0, maxLength)).replace(/\p{Cc}+/gu, ' ');
  return data.length > maxLength ? `${subject} ${text}… (${data.length} bytes)` : `${subject} ${text}`;
}
