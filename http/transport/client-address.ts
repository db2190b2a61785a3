import { isIPv6 } from 'node:net';

/**
 * The unit in which logins are limited: an IPv4 address, or the /64 network of an IPv6 address, because a host can
 * use any address of its /64.
 *
 * @param address the socket's remote address; undefined once the socket is closed.
 */
export function clientKey(address: string | undefined): string {
  const plain = (address ?? 'unknown').replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
