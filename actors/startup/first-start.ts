import { randomText } from '../../bus/base/random.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

/** What the very first start puts in place, so that there is something to log in with and something to see. */

/** Without those that look like others in print: 0 and O, 1, i, l and I, o. */
const letters = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * Makes an admin when there is none who can log in: at the first start, or after SentryShot's accounts were copied in.
 *
 * @param given the password to use; without it a random one is made.
 * @returns the login to show, when its password was made here.
 */
export async function makeAdmin(
  accounts: Accounts,
  given: string | undefined,
): Promise<{ username: string; password: string } | undefined> {
  if (accounts.hasAdmin) return undefined;
  const taken = new Set(accounts.list().flatMap(({ id, username }) => [id, username]));
  let username = 'admin';
  for (let n = 2; taken.has(username); n += 1) username = `admin${n}`;
  const password = given || randomText(16, letters);
  await accounts.put({ id: username, username, isAdmin: true, plainPassword: password });
  return given ? undefined : { username, password };
}

/** Makes a monitor of GStreamer's moving test picture when there is none. */
export async function makeDemo(monitors: Monitors): Promise<void> {
  if (monitors.list().length > 0 || monitors.broken.length > 0) return;
  const whole = [
    [0, 0],
    [1_000_000, 0],
    [1_000_000, 1_000_000],
    [0, 1_000_000],
  ];
  await monitors.put({
    id: 'demo',
    name: 'Demo',
    enable: true,
    alwaysRecord: true,
    videoLength: 15,
    source: 'test',
    sourcetest: {},
    motion: {
      enable: true,
      feedRate: 2,
      duration: 30,
      zones: [{ enable: true, sensitivity: 8, thresholdMin: 0.1, thresholdMax: 100, area: whole }],
    },
  });
}
