import { detectors } from '../../actors/detectors/host/detector-list.ts';
import type { Route } from '../../http/request/route.ts';
import { routes } from '../../http/routes.ts';
import { MonitorParser } from '../../store/monitors/monitor-parser.ts';

/** Every route, for tests that read descriptions only: no handler may be called. */
export function routeTable(): readonly Route[] {
  const { schema } = new MonitorParser(detectors);
  return routes({ monitors: { detectors, schema } } as unknown as Parameters<typeof routes>[0]);
}
