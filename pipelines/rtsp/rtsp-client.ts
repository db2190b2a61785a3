import { parseRtspAddress, type RtspAddress, RtspAddressError } from '../../bus/base/rtsp-address.ts';
import type { ConnectionReuse } from './connection-reuse.ts';
import { baseUrl } from './protocol/control-url.ts';
import { RtspError, refusal } from './protocol/rtsp-error.ts';
import { header, isSuccess, type RtspMessage } from './protocol/rtsp-message.ts';
import type { RtspTimeouts } from './protocol/rtsp-timeouts.ts';
import { parseSdp } from './protocol/sdp.ts';
import { RtspConnection } from './rtsp-connection.ts';
import { RtspSession } from './rtsp-session.ts';
import type { RtspTransport } from './track-setup.ts';

export interface RtspOptions {
  readonly address: RtspAddress;
  /** The one that is asked for first. A camera that does not have it is asked for the other one. */
  readonly transport: RtspTransport;
  readonly timeouts: RtspTimeouts;
  /** Ends everything at once, at any time; `RtspSession.close` says goodbye to the camera first. */
  readonly signal: AbortSignal;
  /** Takes sentences for a debug log: what was done about a camera that does not do the usual. */
  readonly log: (sentence: string) => void;
  /** For streams that are played one after the other: their sessions share a connection and its login. */
  readonly reuse?: ConnectionReuse | undefined;
}

const maxRedirects = 3;
const redirects = new Set([301, 302, 303, 305, 307]);

/**
 * Connects to a camera, logs in at most once, and asks what it has.
 *
 * @throws {RtspError} with nothing left open; the signal's reason when it aborts.
 */
export async function openRtsp(options: RtspOptions): Promise<RtspSession> {
  let { address } = options;
  for (let count = 0; count <= maxRedirects; count++) {
    const { connection, answer } = await ask(address, options);
    try {
      if (!redirects.has(answer.status ?? 0)) return describe(answer, connection, address, options);
      address = redirected(address, header(answer, 'location'));
      options.log(`the camera redirects to ${address.host}:${address.port}`);
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.close();
    await connection.closed;
  }
  throw new RtspError('unreachable', `the camera redirects more than ${maxRedirects} times`);
}

interface Asked {
  readonly connection: RtspConnection;
  /** To DESCRIBE, whatever its status. */
  readonly answer: RtspMessage;
}

/** @throws {RtspError} with nothing left open; the signal's reason when it aborts. */
async function ask(address: RtspAddress, options: RtspOptions): Promise<Asked> {
  const kept = options.reuse?.take(address, options.signal);
  if (kept) {
    try {
      return await askOver(kept, address);
    } catch (error) {
      // Some cameras close the connection after TEARDOWN. A login that is refused is not tried again.
      if (!(error instanceof RtspError) || error.code === 'unauthorized') throw error;
    }
  }
  return askOver(await RtspConnection.open(address, options), address);
}

async function askOver(connection: RtspConnection, { url }: RtspAddress): Promise<Asked> {
  try {
    const answer = await connection.request('DESCRIBE', url, { Accept: 'application/sdp' });
    return { connection, answer };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function describe(
  answer: RtspMessage,
  connection: RtspConnection,
  address: RtspAddress,
  options: RtspOptions,
): RtspSession {
  if (!isSuccess(answer)) throw refusal('DESCRIBE', answer.status ?? 0);
  const description = parseSdp(answer.body.toString('latin1'));
  if (description.tracks.length === 0) throw new RtspError('no_video', 'the camera offers no stream at all');
  const base = baseUrl(address.url, header(answer, 'content-base') ?? header(answer, 'content-location'));
  return new RtspSession({ ...options, connection, address, description, base });
}

/** A camera that sends us to another host is not given the password there, nor one that gives up TLS. */
function redirected(from: RtspAddress, location: string | undefined): RtspAddress {
  try {
    const to = parseRtspAddress(location ?? '');
    const trusted = to.host.toLowerCase() === from.host.toLowerCase() && (to.secure || !from.secure);
    return { ...to, user: trusted ? from.user : '', password: trusted ? from.password : '' };
  } catch (error) {
    if (!(error instanceof RtspAddressError)) throw error;
    throw new RtspError('unreachable', 'the camera redirects to an address that cannot be used');
  }
}
