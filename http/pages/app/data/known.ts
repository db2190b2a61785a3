import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import type { OwnAccount } from './own-account.ts';

/** What the recorder wrote into the document. */
interface Known {
  readonly session?: OwnAccount;
  readonly monitors?: readonly MonitorSummary[];
}

const element = document.querySelector('#known');
const known: { -readonly [Name in keyof Known]: Known[Name] } = JSON.parse(element?.textContent || '{}');

export const knownAccount = known.session;

/** The monitors as they were when the document was made: once, because later it is no longer true. */
export function takeMonitors(): readonly MonitorSummary[] | undefined {
  const { monitors } = known;
  known.monitors = undefined;
  return monitors;
}
