/** The web server cannot listen where the configuration says. */
class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'cannot_listen';
}

/**
 * Explains why a server cannot listen.
 *
 * @param error of `listen`.
 * @returns an error with what to change in the configuration; the same error if its cause is another one.
 */
export function explainListen(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const explanation = explanations[(error as NodeJS.ErrnoException).code ?? '']?.(host, port);
  return explanation === undefined ? error : new ListenError(explanation, { cause: error });
}

const explanations: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `port ${port} of ${host} is taken by another program: end that one, or set another \`port\` in the configuration`,
  EADDRNOTAVAIL: (host) =>
    `${host} is no address of this machine: set \`host\` in the configuration to one that is, or to "0.0.0.0" for all`,
  ENOTFOUND: (host) =>
    `${host} is no name that this machine knows: set \`host\` in the configuration to one of its addresses, or to "0.0.0.0" for all`,
  EACCES: (_host, port) =>
    `this user may not listen on port ${port}: set \`port\` in the configuration to one from 1024 on, or give the program the right CAP_NET_BIND_SERVICE (a service: install it again)`,
};
