const pausesMinutes = [1, 5, 15, 60] as const;
const minuteMs = 60_000;

/**
 * How long to wait after a camera has refused a login, in milliseconds. Cameras lock an account after a few wrong
 * passwords, for the right one too.
 *
 * @param refusals logins that were refused in a row, this one included.
 */
export function loginPauseMs(refusals: number): number {
  return (pausesMinutes[refusals - 1] ?? 60) * minuteMs;
}

/** That pause, for people: `next login in 5 minutes`. */
export function describeLoginPause(pauseMs: number): string {
  const minutes = Math.round(pauseMs / minuteMs);
  return `next login in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
}
