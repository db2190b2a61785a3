import { Type } from 'typebox';
import { commands } from '../../bus/subjects.ts';
import { type MonitorConfig, MonitorID } from '../../store/monitors/monitor-config.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

const MonitorQuery = Type.Object({ id: MonitorID });

const example = {
  id: 'one',
  name: 'camera_1',
  enable: true,
  alwaysRecord: false,
  videoLength: 15,
  source: 'rtsp',
  sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://user:********@127.0.0.1:8554/main' },
};

const Detector = Type.Object({
  name: Type.String({ description: "Of its section in a monitor's configuration" }),
  title: Type.String(),
  defaults: Type.Record(Type.String(), Type.Unknown(), {
    description: 'The section of a monitor for which it is enabled for the first time',
  }),
});

type MonitorServices = Pick<ApiServices, 'monitors' | 'bus' | 'log'>;

export function monitorRoutes({ monitors, bus, log }: MonitorServices): Route[] {
  const apply = (monitorID: string, restart: boolean) =>
    bus.request(commands.apply, [monitorID], { restart });

  /** Succeeds even if the bus is offline: the configuration is saved, and is applied when the bus is back. */
  async function applySaved(monitorID: string, restart: boolean): Promise<void> {
    try {
      const { ok, error } = await apply(monitorID, restart);
      if (!ok) log.warning(`the configuration was saved but not applied: ${error ?? 'refused'}`, monitorID);
    } catch {
      log.warning('the configuration was saved; it is applied when the bus is back', monitorID);
    }
  }

  return [
    route({
      method: 'GET',
      path: '/api/monitors',
      access: 'admin',
      tag: 'Monitor',
      summary: 'The configurations of all monitors',
      description: 'An object of configurations by monitor id. Passwords in URLs are replaced by asterisks.',
      answers: {
        200: {
          description: 'The configurations',
          schema: Type.Record(Type.String(), monitors.schema),
          example: { one: example },
        },
      },
      handle: () => ({
        body: Object.fromEntries(monitors.list().map((config) => [config.id, monitors.masked(config)])),
      }),
    }),
    route({
      method: 'PUT',
      path: '/api/monitor',
      access: 'admin',
      tag: 'Monitor',
      summary: 'Create or replace a monitor',
      description:
        'Takes the whole configuration: fields that are left out are deleted, unknown fields are kept. It is applied at once, to this monitor alone. A password sent back as asterisks, as it was read, stays unchanged.',
      // Validated by the store, which also accepts the other forms that SentryShot writes.
      body: Type.Unknown(),
      documentedBody: monitors.schema,
      bodyExample: {
        ...example,
        sourcertsp: { ...example.sourcertsp, mainStream: 'rtsp://user:pass@127.0.0.1:8554/main' },
      },
      answers: { 200: { description: 'Replaced' }, 201: { description: 'Created' } },
      failures: ['conflict', 'storage_failed', 'no_majority'],
      async handle({ body, caller }) {
        const done = await monitors.put(body);
        const { id: monitorID } = body as MonitorConfig;
        log.info(`configuration ${done} by '${caller.username}'`, monitorID);
        await applySaved(monitorID, false);
        return { status: done === 'created' ? 201 : 200 };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/monitor',
      access: 'admin',
      tag: 'Monitor',
      summary: 'Stop and delete a monitor',
      description: 'Its recordings stay.',
      query: MonitorQuery,
      answers: { 200: { description: 'Deleted' } },
      failures: ['not_found', 'storage_failed', 'no_majority'],
      async handle({ query, caller }) {
        await monitors.remove(query.id);
        log.info(`deleted by '${caller.username}'`, query.id);
        await applySaved(query.id, false);
        return {};
      },
    }),
    route({
      method: 'POST',
      path: '/api/monitor/restart',
      access: 'admin',
      relay: 'monitor',
      tag: 'Monitor',
      summary: 'Restart a monitor',
      query: MonitorQuery,
      answers: { 200: { description: 'Restarted' } },
      failures: ['not_found', 'unavailable'],
      async handle({ query, caller }) {
        if (!monitors.get(query.id))
          throw new HttpError('not_found', 'There is no such monitor.', { pointer: '/id' });
        log.info(`restart requested by '${caller.username}'`, query.id);
        const reply = await apply(query.id, true).catch((cause: unknown) => {
          throw new HttpError('unavailable', 'The bus is offline.', {
            headers: { 'Retry-After': '5' },
            cause,
          });
        });
        if (!reply.ok) throw new HttpError('unavailable', 'The monitor was not restarted; see the log.');
        return {};
      },
    }),
    route({
      method: 'GET',
      path: '/api/detectors',
      access: 'admin',
      tag: 'Monitor',
      summary: 'The detectors that a monitor may have',
      answers: {
        200: {
          description: 'The detectors',
          schema: Type.Array(Detector),
          example: [
            {
              name: 'motion',
              title: 'Motion detection',
              defaults: { enable: true, feedRate: 2, duration: 120, zones: [] },
            },
          ],
        },
      },
      handle: () => ({
        body: monitors.detectors.map(({ name, title, defaults }) => ({ name, title, defaults })),
      }),
    }),
    ...monitors.detectors.flatMap(({ name: detector }) =>
      (['enable', 'disable'] as const).map((verb) =>
        route({
          method: 'PATCH',
          path: `/api/monitor/:id/${detector}/${verb}`,
          access: 'admin',
          tag: 'Monitor',
          summary: `${verb === 'enable' ? 'Enable' : 'Disable'} ${detector} and restart the monitor`,
          description:
            'A detector that was never configured is enabled with its defaults. Needs no CSRF token.',
          params: MonitorQuery,
          answers: { 200: { description: `${detector} is ${verb}d` } },
          failures: ['not_found', 'conflict', 'storage_failed', 'no_majority'],
          async handle({ params, caller }) {
            await monitors.setDetector(params.id, detector, verb === 'enable');
            log.info(`${detector} ${verb}d by '${caller.username}'`, params.id);
            await applySaved(params.id, true);
            return {};
          },
        }),
      ),
    ),
  ];
}
