import { randomText } from '../../bus/base/random.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

/** The account and the monitor that the first start creates. */

/** Letters and digits without those that are easily confused in print: 0 and O, 1, i, l and I, o. */
const letters = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * Creates an admin if none can log in: at the first start, or after SentryShot's accounts were copied in.
 *
 * @param given the password; if undefined or empty, a random one is made.
 * @returns the login to print, if its password was made here.
 */
export async function makeAdmin(
  accounts: Accounts,
  given: string | undefined,
): Promise<{ username: string; password: string } | undefined> {
  if (accounts.hasAdmin) return undefined;
  const used = new Set(accounts.list().flatMap(({ id, username }) => [id, username]));
  let username = 'admin';
  for (let n = 2; used.has(username); n += 1) username = `admin${n}`;
  const password = given || randomText(16, letters);
  const account = { id: username, username, isAdmin: true, plainPassword: password };
  await accounts.put(account, { initialPassword: !given });
  return given ? undefined : { username, password };
}

/** Creates a monitor of GStreamer's moving test video if there is no monitor. */
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
