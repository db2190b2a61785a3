import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type BrokerOptions, usesTls } from './broker-options.ts';

/** Why a session with the broker is over. */
export interface SessionEnd {
  readonly kind: /** No answer at the address, or no connection. */
    | 'unreachable'
    /** The login or the client is refused. */
    | 'refused'
    /** The broker does not speak this version of MQTT, as far as can be seen. */
    | 'version'
    /** Another client has logged in with our id. */
    | 'taken-over'
    /** It was open, and was closed. */
    | 'closed';
  /** For people; never with a password. */
  readonly reason: string;
  /** Milliseconds for which it was open. */
  readonly openMs: number;
  /** Whether the broker has named the reason. */
  readonly isExplicit: boolean;
}

const takenOver = 142;
/** 3.1.1 and 5: unacceptable protocol version. */
const wrongVersion: readonly (number | undefined)[] = [1, 132];
/** The broker has closed the connection. */
const silences: readonly string[] = ['ECONNRESET', 'EPIPE', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'];
/** 3.1.1: id rejected, wrong login, not authorized; 5: the same, banned and bad method. */
const refusals: readonly (number | undefined)[] = [2, 4, 5, 133, 134, 135, 138, 140];

export function sessionEnd(
  options: BrokerOptions,
  error: Error | undefined,
  goodbye: number | undefined,
  openedAt: number | undefined,
): SessionEnd {
  const openMs = openedAt === undefined ? 0 : performance.now() - openedAt;
  const code = (error as { code?: number | string } | undefined)?.code;
  if (goodbye === takenOver) {
    const reason = `another client has logged in with the client id ${options.clientId}: a second recorder with a copy of this one's storage folder? Each needs a client id of its own (client_id)`;
    return { kind: 'taken-over', reason, openMs, isExplicit: true };
  }
  if (openedAt !== undefined) {
    const said = goodbye === undefined ? '' : ` by the broker with reason code ${goodbye}`;
    return {
      kind: 'closed',
      reason: error?.message || `connection closed${said}`,
      openMs,
      isExplicit: goodbye !== undefined,
    };
  }
  if (typeof code === 'number' && wrongVersion.includes(code)) {
    return {
      kind: 'version',
      reason: 'the broker does not speak this version of MQTT',
      openMs,
      isExplicit: true,
    };
  }
  if (typeof code === 'number' && refusals.includes(code)) {
    return { kind: 'refused', reason: error?.message ?? 'refused', openMs, isExplicit: true };
  }
  // A broker that cannot read the version closes, or answers in a form that cannot be read.
  const isSilent = error === undefined || typeof code !== 'string' || silences.includes(code);
  const reason = error?.message || (typeof code === 'string' ? code : 'connection closed before an answer');
  return { kind: isSilent ? 'version' : 'unreachable', reason, openMs, isExplicit: false };
}

const probeMs = 3000;

/** Whether a broker that did not answer in plain MQTT speaks TLS on that port. */
function speaksTls({ host, port }: BrokerOptions): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is sent, so it does not matter whose certificate it is.
    const socket = connectTls({ host, port, rejectUnauthorized: false, timeout: probeMs });
    const answer = (isTls: boolean) => {
      resolve(isTls);
      socket.destroy();
    };
    socket.on('secureConnect', () => answer(true));
    // A broker that wants a certificate of the client says so in TLS.
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      answer(code?.startsWith('ERR_SSL_TLSV1') ?? false),
    );
    socket.on('timeout', () => answer(false));
    socket.on('close', () => answer(false));
  });
}

/** MQTT 3.1.1, a clean session of a client without an id and without a login. */
const anonymousConnect = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 0]);
const connackType = 0x20;

/** Whether a broker with which TLS was not agreed speaks plain MQTT on that port. Sends no login. */
function speaksPlain({ host, port, protocol }: BrokerOptions): Promise<boolean> {
  if (protocol !== 'mqtts') return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeMs });
    const answer = (isPlain: boolean) => {
      resolve(isPlain);
      socket.destroy();
    };
    socket.write(anonymousConnect);
    socket.on('data', (data) => answer(data[0] === connackType));
    socket.on('error', () => answer(false));
    socket.on('timeout', () => answer(false));
    socket.on('close', () => answer(false));
  });
}

/** What a broker that has closed the connection without an answer speaks, if it is not what it was asked in. */
export async function otherTransport(options: BrokerOptions): Promise<string | undefined> {
  const { protocol = 'mqtt' } = options;
  if (usesTls(options)) {
    return (await speaksPlain(options)) ? 'the broker does not speak TLS on this port' : undefined;
  }
  return (await speaksTls(options))
    ? `the broker speaks TLS on this port: protocol = "${protocol}s" is needed`
    : undefined;
}
