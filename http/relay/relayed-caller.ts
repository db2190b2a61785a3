import { type Static, Type } from 'typebox';
import { compileValidator } from '../../store/base/validator.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';

/** The header in which a machine names its caller to another one. */
export const callerHeader = 'sentrybus-caller';

const CallerText = Type.Object({
  id: Type.String(),
  username: Type.String(),
  isAdmin: Type.Boolean(),
  monitors: Type.Optional(Type.Array(Type.String())),
});
const check = compileValidator(CallerText);

/** Of a caller, what another machine has to know. */
export type RelayedCaller = Pick<Caller, 'id' | 'username' | 'isAdmin' | 'monitors'>;

/** @param monitorID of the request, which has been narrowed to what its caller may see: the whole list might not fit a header. */
export function writeCaller({ id, username, isAdmin, monitors }: RelayedCaller, monitorID: string): string {
  const seen = { id, username, isAdmin, ...(monitors && { monitors: [monitorID] }) };
  return Buffer.from(JSON.stringify(seen)).toString('base64url');
}

/**
 * The caller in whose name another machine asks. That machine ends the connection when the caller is no longer admitted.
 *
 * @throws {HttpError} `malformed_request`
 */
export function readCaller(text: string | string[] | undefined): Caller {
  const { id, username, isAdmin, monitors } = parse(String(text ?? ''));
  return {
    ...{ id, username, isAdmin, monitors, session: undefined, token: undefined },
    maySee: (monitorID) => monitors === undefined || monitors.includes(monitorID),
    standing: () => 'admitted',
  };
}

function parse(text: string): Static<typeof CallerText> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!check(value)) return value as Static<typeof CallerText>;
  } catch {}
  throw new HttpError('malformed_request', `Expected the caller in the header ${callerHeader}.`);
}
