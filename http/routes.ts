import { accountRoutes } from './api/account-routes.ts';
import { eventRoutes } from './api/event-routes.ts';
import { healthRoutes } from './api/health-routes.ts';
import { metricsRoutes } from './api/metrics-routes.ts';
import { monitorRoutes } from './api/monitor-routes.ts';
import { monitorStateRoutes, summaries } from './api/monitor-state-routes.ts';
import { mqttRoutes } from './api/mqtt-routes.ts';
import { sourceTestRoutes } from './api/source-test-routes.ts';
import { storageRoutes } from './api/storage-routes.ts';
import { documentRoutes } from './documents/document-routes.ts';
import { type SessionServices, sessionRoutes } from './gate/session-routes.ts';
import { whoAmI } from './gate/who-am-i.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { liveRoutes } from './live/live-routes.ts';
import { scoreRoutes } from './live/score-routes.ts';
import { logExportRoutes } from './log/log-export-routes.ts';
import type { LogFeed } from './log/log-feed.ts';
import { logRoutes } from './log/log-query-routes.ts';
import { logSqlRoutes } from './log/log-sql-routes.ts';
import { logStatsRoutes } from './log/log-stats-routes.ts';
import { machineRoutes } from './machines/machine-routes.ts';
import { pageRoutes } from './pages/page-routes.ts';
import { clipRoutes } from './recordings/clip-routes.ts';
import { OpenLimit } from './recordings/open-limit.ts';
import { playlistRoutes } from './recordings/playlist-routes.ts';
import { protectRoutes } from './recordings/protect-routes.ts';
import { recordingRoutes } from './recordings/recording-routes.ts';
import { thumbnailRoutes } from './recordings/thumbnail-routes.ts';
import { timelineRoutes } from './recordings/timeline-routes.ts';
import { videoRoutes } from './recordings/video-routes.ts';
import type { ApiServices } from './request/api-services.ts';
import type { Route } from './request/route.ts';
import type { MonitorStates } from './state/monitor-states.ts';
import type { SiteServices } from './state/site-catalogue.ts';
import type { BasePath } from './transport/base-path.ts';

/** Downloads of footage at once: each takes a file descriptor and some hundred kilobytes. */
const maxDownloads = 100;

/** Every route that clients can reach. A path that is not in this table is 404. */
export function routes(
  services: ApiServices &
    SessionServices &
    SiteServices & {
      readonly feed: LogFeed;
      readonly live: LiveFeed;
      readonly states: MonitorStates;
      readonly basePath: BasePath;
    },
): readonly Route[] {
  const limit = new OpenLimit(maxDownloads);
  const table: readonly Route[] = [
    ...accountRoutes(services),
    ...sessionRoutes(services),
    ...monitorRoutes(services),
    ...monitorStateRoutes(services),
    ...sourceTestRoutes(services),
    ...liveRoutes(services),
    ...scoreRoutes(services),
    ...logRoutes(services),
    ...logStatsRoutes(services),
    ...logExportRoutes(services),
    ...logSqlRoutes(services),
    ...eventRoutes(services),
    ...recordingRoutes(services),
    ...protectRoutes(services),
    ...videoRoutes({ ...services, limit }),
    ...thumbnailRoutes(services),
    ...timelineRoutes(services),
    ...playlistRoutes(services),
    ...clipRoutes({ ...services, limit }),
    ...healthRoutes(services),
    ...storageRoutes(services),
    ...mqttRoutes(services),
    ...machineRoutes(services),
    ...metricsRoutes(services),
    ...documentRoutes(() => table, services),
    ...pageRoutes({
      basePath: services.basePath,
      known: (caller, path) => ({
        session: whoAmI(caller, services.accounts),
        ...(path === '/live' && { monitors: summaries(caller, services) }),
      }),
    }),
  ];
  return table;
}
