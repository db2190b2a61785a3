import { Type } from 'typebox';
import { AccountInput } from '../../store/accounts/accounts.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

const { id, username, isAdmin } = AccountInput.properties;
const monitorsOfAccount = Type.Array(Type.String(), {
  description: 'Ids of the only monitors that it may see; absent if it may see all',
});

/** An account as clients read it: without password hash and token. */
const Account = Type.Object(
  { id, username, isAdmin, monitors: Type.Optional(monitorsOfAccount) },
  { additionalProperties: false },
);
const AccountQuery = Type.Object({ id });

type AccountServices = Pick<ApiServices, 'accounts' | 'monitors' | 'log'>;

export function accountRoutes({ accounts, monitors, log }: AccountServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/accounts',
      access: 'admin',
      tag: 'Account',
      summary: 'All accounts',
      description: 'An object of accounts by their id.',
      answers: {
        200: {
          description: 'The accounts',
          schema: Type.Record(Type.String(), Account),
          example: { '7phg3h7v3ayb5g2f': { id: '7phg3h7v3ayb5g2f', username: 'name', isAdmin: false } },
        },
      },
      handle: () => ({
        body: Object.fromEntries(accounts.list().map((account) => [account.id, account])),
      }),
    }),
    route({
      method: 'PUT',
      path: '/api/account',
      access: 'admin',
      tag: 'Account',
      summary: 'Create or replace an account',
      description:
        'A new account needs a password; without one, an existing account keeps its own. Any change gives the account a new CSRF token and ends its sessions and WebSockets. The last admin cannot be demoted. With `monitors` the account sees nothing of other monitors than these, as if there were no others; without it an existing account keeps its list, and null ends it. Admins see all monitors and have no list.',
      body: AccountInput,
      bodyExample: {
        id: '7phg3h7v3ayb5g2f',
        username: 'name',
        isAdmin: false,
        monitors: null,
        plainPassword: 'pass',
      },
      answers: { 200: { description: 'Replaced' }, 201: { description: 'Created' } },
      failures: ['conflict', 'storage_failed', 'no_majority'],
      async handle({ body, caller }) {
        checkMonitors(body);
        const done = await accounts.put(body);
        log.info(`account ${body.id} ${done} by '${caller.username}'`);
        return { status: done === 'created' ? 201 : 200 };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/account',
      access: 'admin',
      tag: 'Account',
      summary: 'Delete an account',
      description: 'Ends its sessions and WebSockets. The last admin cannot be deleted.',
      query: AccountQuery,
      answers: { 200: { description: 'Deleted' } },
      failures: ['not_found', 'conflict', 'storage_failed', 'no_majority'],
      async handle({ query, caller }) {
        await accounts.remove(query.id);
        log.info(`account ${query.id} deleted by '${caller.username}'`);
        return {};
      },
    }),
    route({
      method: 'GET',
      path: '/api/account/my-token',
      access: 'user',
      limit: 'none',
      tag: 'Account',
      summary: 'The CSRF token of your own account',
      description:
        'With basic auth that of the account, new after every change of the account, and after every start of a recorder that is alone; with a cookie that of the session, which stays the same. Either is refused with the other kind of login.',
      answers: {
        200: {
          description: 'The token',
          type: 'text/plain; charset=utf-8',
          schema: Type.String({ pattern: '^[A-Za-z0-9]{32}$' }),
        },
      },
      handle({ caller: { token } }) {
        if (token === undefined) throw new HttpError('login_failed', 'The account was deleted.');
        return { body: token };
      },
    }),
  ];

  /** An id that the account has already may be of a monitor that was deleted meanwhile: it does no harm. */
  function checkMonitors({ id, monitors: wanted }: AccountInput): void {
    const known = accounts.get(id)?.monitors ?? [];
    for (const [index, monitorID] of (wanted ?? []).entries()) {
      if (monitors.get(monitorID) || known.includes(monitorID)) continue;
      const pointer = `/monitors/${index}`;
      throw new HttpError('invalid_value', `${pointer}: expected the id of a monitor that exists.`, {
        pointer,
      });
    }
  }
}
