import { Type } from 'typebox';
import type { Session, Sessions } from '../../store/accounts/sessions.ts';
import type { ApiServices } from '../request/api-services.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import type { Gate } from './gate.ts';
import { noSessionCookie } from './session-cookie.ts';
import { created, expires, SessionID, time, WhoAmI, whoAmI } from './who-am-i.ts';

const Login = Type.Object(
  {
    username: Type.String({ maxLength: 256, description: 'the user name, at most 256 characters' }),
    password: Type.String({ maxLength: 1024, description: 'the password, at most 1024 characters' }),
  },
  { additionalProperties: false, description: 'an object of username and password' },
);

const ListedSession = Type.Object({
  id: SessionID,
  accountID: Type.String(),
  username: Type.String(),
  created,
  used: time('When it was last used'),
  expires,
  address: Type.String({ description: 'Of the client, at the login' }),
  client: Type.String({ description: 'The `User-Agent` at the login, at most 200 characters' }),
  current: Type.Boolean({ description: 'Whether this request belongs to it' }),
});

const exampleTimes = { created: 1795392000000000, expires: 1797984000000000 };
const exampleID = 'Zw3k0QnT5c1VYx8bPe7aLd';
const example = {
  ...{ id: '7phg3h7v3ayb5g2f', username: 'name', isAdmin: false, monitors: ['door'] },
  initialPassword: false,
  csrfToken: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  session: { id: exampleID, ...exampleTimes },
};

export interface SessionServices extends Pick<ApiServices, 'accounts' | 'log'> {
  readonly sessions: Sessions;
  readonly gate: Pick<Gate, 'logIn'>;
}

export function sessionRoutes({ sessions, gate, accounts, log }: SessionServices): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/session',
      access: 'public',
      tag: 'Account',
      summary: 'Log in',
      description:
        'Starts a session: its cookie takes the place of basic auth until it was not used for 7 days, 30 days at most, or until the account changes. The session that the browser had is ended. Failures slow further logins from this address down, as with basic auth.',
      body: Login,
      bodyExample: { username: 'name', password: 'pass' },
      answers: { 200: { description: 'Logged in', schema: WhoAmI, example } },
      failures: ['login_failed', 'too_many_logins', 'conflict'],
      async handle({ body, headers, address }) {
        const { caller, cookie } = await gate.logIn({ ...body, headers, address });
        return { headers: { 'Set-Cookie': cookie }, body: whoAmI(caller, accounts) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/session',
      access: 'user',
      limit: 'none',
      tag: 'Account',
      summary: 'Who is logged in',
      answers: {
        200: { description: 'The account, its CSRF token and the session', schema: WhoAmI, example },
      },
      handle: ({ caller }) => ({ body: whoAmI(caller, accounts) }),
    }),
    route({
      method: 'DELETE',
      path: '/api/session',
      access: 'user',
      limit: 'none',
      tag: 'Account',
      summary: 'Log out',
      description: 'Ends the session of this request, and its WebSockets.',
      answers: { 204: { description: 'Logged out' } },
      failures: ['not_found', 'storage_failed'],
      async handle({ caller }) {
        if (!caller.session) throw new HttpError('not_found', 'This request belongs to no session.');
        await sessions.end(caller.session.id);
        log.info(`'${caller.username}' logged out`);
        return { status: 204, headers: { 'Set-Cookie': noSessionCookie } };
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions',
      access: 'user',
      limit: 'none',
      tag: 'Account',
      summary: 'Where people are logged in',
      description: 'Sessions that go on, the last used first: your own, for admins those of all accounts.',
      answers: {
        200: {
          description: 'The sessions',
          schema: Type.Array(ListedSession),
          example: [
            {
              ...{ id: exampleID, accountID: '7phg3h7v3ayb5g2f', username: 'name', ...exampleTimes },
              ...{ used: 1795394000000000, address: '192.0.2.7', client: 'Mozilla/5.0', current: true },
            },
          ],
        },
      },
      handle: ({ caller }) => ({
        body: sessions
          .list(caller.isAdmin ? undefined : caller.id)
          .map((session) => describe(session, caller)),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/api/session/:id',
      access: 'user',
      limit: 'none',
      tag: 'Account',
      summary: 'End a session',
      description: 'And its WebSockets. Your own, for admins that of any account.',
      params: Type.Object({ id: SessionID }),
      answers: { 204: { description: 'Ended' } },
      failures: ['not_found', 'storage_failed'],
      async handle({ params: { id }, caller }) {
        const session = sessions.list(caller.isAdmin ? undefined : caller.id).find((each) => each.id === id);
        // The same answer for the sessions of others: an id says nothing.
        if (!session) throw new HttpError('not_found', 'There is no such session.', { pointer: '/id' });
        await sessions.end(id);
        log.info(`a session of '${nameOf(session)}' was ended by '${caller.username}'`);
        return {
          status: 204,
          ...(caller.session?.id === id && { headers: { 'Set-Cookie': noSessionCookie } }),
        };
      },
    }),
  ];

  function nameOf({ accountID }: Session): string {
    return accounts.get(accountID)?.username ?? accountID;
  }

  function describe(session: Session, caller: Caller) {
    const { id, accountID, createdMs, usedMs, expiresMs, address, client } = session;
    return {
      ...{ id, accountID, username: nameOf(session) },
      ...{ created: createdMs * 1000, used: usedMs * 1000, expires: expiresMs * 1000 },
      ...{ address, client, current: caller.session?.id === id },
    };
  }
}
