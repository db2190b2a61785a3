import { accountRoutes } from './account.ts';
import { documentRoutes } from './documents.ts';
import { eventRoutes } from './event.ts';
import type { LogFeed } from './feed.ts';
import { healthRoutes } from './health.ts';
import { logRoutes } from './log.ts';
import { logExportRoutes } from './log-export.ts';
import { logSqlRoutes } from './log-sql.ts';
import { logStatsRoutes } from './log-stats.ts';
import { metricsRoutes } from './metrics.ts';
import { monitorRoutes } from './monitor.ts';
import type { MonitorStates } from './monitor-states.ts';
import { pageRoutes } from './pages.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';

/** Everything that can be reached. What is not in this table does not exist for clients. */
export function routes(
  services: Services & { readonly feed: LogFeed; readonly states: MonitorStates },
): readonly Route[] {
  const table: readonly Route[] = [
    ...accountRoutes(services),
    ...monitorRoutes(services),
    ...logRoutes(services),
    ...logStatsRoutes(services),
    ...logExportRoutes(services),
    ...logSqlRoutes(services),
    ...eventRoutes(services),
    ...healthRoutes(services),
    ...metricsRoutes(services),
    ...documentRoutes(() => table),
    ...pageRoutes(),
  ];
  return table;
}
