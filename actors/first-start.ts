import { randomInt } from 'node:crypto';
import type { Accounts } from '../store/accounts.ts';
import type { Monitors } from '../store/monitors.ts';

/** What the very first start puts in place, so that there is something to log in with and something to see. */

const letters = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/**
 * Makes the account `admin` when there is no account at all.
 *
 * @param given the password to use; without it a random one is made.
 * @returns the password to show, when it was made here.
 */
export async function makeAdmin(accounts: Accounts, given: string | undefined): Promise<string | undefined> {
  if (accounts.size > 0) return undefined;
  const made = Array.from({ length: 16 }, () => letters[randomInt(letters.length)]).join('');
  const plainPassword = given || made;
  await accounts.put({ id: 'admin', username: 'admin', isAdmin: true, plainPassword });
  return given ? undefined : made;
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
