import { makeClusterKeys, newClusterSecret } from '../../bus/nats/control/cluster-keys.ts';
import { machineToken } from '../../bus/nats/control/machine-token.ts';
import type { CatalogueProgress } from '../../store/recordings/verification/catalogue-rebuild.ts';
import { type FrontDoor, openFrontDoor } from './http-server.ts';
import { rtspMonitor } from './monitors.ts';
import { freePort } from './ports.ts';
import { TestSite } from './test-site.ts';

/** Two real servers of one system, each with its own bus and files. */
export interface TwoMachines {
  readonly hereName: string;
  readonly thereName: string;
  /** What `here` hears of the other one is what a test says. */
  readonly site: TestSite;
  /** Has the streams of the other one in its own database. */
  readonly here: FrontDoor;
  readonly there: FrontDoor;
}

/**
 * @param monitorIDs of cameras that `here` records.
 * @param progress of the other one's catalogue; complete if absent.
 */
export async function openTwoMachines(
  monitorIDs: readonly string[],
  progress?: () => CatalogueProgress,
): Promise<TwoMachines> {
  const [hereName, thereName] = ['127.0.0.4', '127.0.0.5'];
  const machines = [hereName, thereName];
  const keys = await makeClusterKeys(newClusterSecret(), machines);
  const port = await freePort();
  const site = new TestSite(hereName, machines, keys, port);
  const theirs = new TestSite(thereName, machines, keys, port);
  const there = await openFrontDoor({
    ...{ site: theirs, domain: machineToken(thereName) },
    ...(progress && { catalogueProgress: progress }),
  });
  const here = await openFrontDoor({ site, others: { address: there.busAddress, others: [thereName] } });
  for (const door of [here, there])
    for (const id of monitorIDs)
      await door.monitors.put(rtspMonitor(id, ['rtsp://127.0.0.1/main'], { alwaysRecord: true }));
  return { hereName, thereName, site, here, there };
}
