import type { Log } from '../../bus/log.ts';
import type { DetectorReport } from '../../bus/messages.ts';
import type { Bus } from '../../bus/nats/bus.ts';
import type { Accounts } from '../../store/accounts/accounts.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

/** What the routes work with. */
export interface ApiServices {
  readonly accounts: Accounts;
  readonly monitors: Monitors;
  readonly logs: LogStore;
  readonly bus: Bus;
  readonly log: Log;
  /** The picture beside an event, as JPEG; undefined when it has none. */
  readonly snapshot: (eventID: string) => Promise<Uint8Array | undefined>;
  /** How the object detectors do that watch now. */
  readonly detectors: () => DetectorReport[];
  /** Whether the recorder does its work. */
  readonly health: () => boolean;
}
