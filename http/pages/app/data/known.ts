import type { MonitorSummary } from '../../../state/monitor-summary.ts';

export interface OwnAccount {
  readonly id: string;
  readonly username: string;
  readonly isAdmin: boolean;
  /** Whether its password is still the one that the first start of the recorder printed. */
  readonly initialPassword: boolean;
  readonly csrfToken: string;
  /** Null with basic auth, and where no login is needed. */
  readonly session: { readonly id: string } | null;
}

/** What the recorder wrote into the document. */
export interface Known {
  readonly session?: OwnAccount;
  readonly monitors?: readonly MonitorSummary[];
}

const element = document.querySelector('#known');
const known: Known = JSON.parse(element?.textContent || '{}');
let monitors = known.monitors;

export const knownAccount = known.session;

/** The monitors as they were when the document was made: once, because later it is no longer true. */
export function takeMonitors(): readonly MonitorSummary[] | undefined {
  const taken = monitors;
  monitors = undefined;
  return taken;
}
