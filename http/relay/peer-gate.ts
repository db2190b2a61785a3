import type { IncomingMessage } from 'node:http';
import type { Access, Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { callerHeader, readCaller } from './relayed-caller.ts';

/** Admits what the other machines of the cluster ask. Strangers have been turned away in the handshake. */
export const peerGate = {
  /** @throws {HttpError} `admin_required`, `malformed_request` */
  async admit({ headers }: IncomingMessage, access: Access): Promise<Caller> {
    const caller = readCaller(headers[callerHeader]);
    if (access !== 'admin' || caller.isAdmin) return caller;
    throw new HttpError('admin_required', 'Only an admin may do this.');
  },

  async recognise({ headers }: IncomingMessage): Promise<Caller> {
    return readCaller(headers[callerHeader]);
  },
};
