import { isIP } from 'node:net';
import { loginSeconds } from '../nats-server.ts';
import { tlsConfig } from './key-files.ts';

/** Subjects of answers to what is asked of another machine's streams begin with it. */
export const siteAnswers = '_SITE';
/** The name by which a bus logs in to the control servers. */
export const leafUser = 'bus';
const memberUser = 'member';

/** An address in a configuration of nats-server. */
export const inAddress = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/** @param port of the control servers among themselves. */
export const leafAddress = (host: string, port: number): string => `${inAddress(host)}:${port + 2}`;

/**
 * What the control servers let pass to and from the machines' buses: questions to streams, and their answers. All else stays
 * on its machine: another one's log, for example, would be stored as if it were its own.
 *
 * The passwords are no secrets, since nobody without a certificate of the cluster gets as far as that.
 */
export const leafHub = (dir: string, host: string, port: number): string => `
no_auth_user: ${memberUser}
authorization {
  timeout: ${loginSeconds}
  users: [
    { user: ${memberUser}, password: ${memberUser} }
    {
      user: ${leafUser}
      password: ${leafUser}
      permissions: { publish: { allow: ["${siteAnswers}.>"] }, subscribe: { allow: ["$JS.*.API.>"] } }
    }
  ]
}
leafnodes {
  listen: ${JSON.stringify(leafAddress(host, port))}
  no_advertise: true
  tls { ${tlsConfig(dir)}, handshake_first: true }
}
`;
