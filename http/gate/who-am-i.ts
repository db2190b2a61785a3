import { type Static, Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import type { Caller } from '../request/caller.ts';

export const SessionID = Type.String({ pattern: '^[A-Za-z0-9]{22}$', description: '22 letters and digits' });
export const time = (description: string) =>
  Type.Integer({ description: `${description}, a Unix time in microseconds` });
export const created = time('When the login was');
export const expires = time('When it ends, used or not');

export const WhoAmI = Type.Object({
  id: Type.String({ description: 'Of the account' }),
  username: Type.String(),
  isAdmin: Type.Boolean(),
  monitors: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'Ids of the only monitors that it may see; null if it may see all',
  }),
  initialPassword: Type.Boolean({
    description: 'Whether its password is still the one that the first start of the recorder printed',
  }),
  csrfToken: Type.String({ description: 'For the header `X-CSRF-TOKEN`' }),
  session: Type.Union([Type.Object({ id: SessionID, created, expires }), Type.Null()], {
    description: 'Null with basic auth, and where no login is needed',
  }),
});

/** The account of a request, as its own pages know it. */
export function whoAmI(
  { id, username, isAdmin, monitors, token = '', session }: Caller,
  accounts: ApiServices['accounts'],
): Static<typeof WhoAmI> {
  return {
    id,
    username,
    isAdmin,
    monitors: monitors ? [...monitors] : null,
    initialPassword: accounts.hasInitialPassword(id),
    csrfToken: token,
    session: session
      ? { id: session.id, created: session.createdMs * 1000, expires: session.expiresMs * 1000 }
      : null,
  };
}
