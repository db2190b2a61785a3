import { Type } from 'typebox';
import { DetectionEvent } from '../../bus/messages.ts';
import { siteRecordingID } from '../../bus/recording-id.ts';
import { MachineList } from '../../store/config/machine-name.ts';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import { eventSpan } from '../../store/recordings/snapshots.ts';
import type { ApiServices } from '../request/api-services.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { checkOrder } from '../request/query.ts';
import { type Route, route } from '../request/route.ts';
import type { SiteServices } from '../state/site-catalogue.ts';

const optionalTime = (description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2 ** 53,
      description: `${description}, a Unix time in microseconds`,
    }),
  );

const EventQuery = Type.Object({
  monitors: Type.Optional(
    Type.Array(MonitorID, {
      maxItems: 1000,
      description: 'a list of monitor ids, of 1 to 24 letters and digits each; none means all',
    }),
  ),
  machines: MachineList,
  labels: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      maxItems: 100,
      description: 'a list of labels; none means all',
    }),
  ),
  start: optionalTime('only events from here on'),
  end: optionalTime('only events older than this'),
  order: Type.Optional(
    Type.Enum(['newest', 'oldest'], {
      default: 'newest',
      description: 'which come first, newest or oldest; newest if left out',
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, default: 100, description: 'a number of events, 1 to 500' }),
  ),
});

const OccurrenceQuery = Type.Object({
  ...EventQuery.properties,
  before: optionalTime('only occurrences that begin before this, with their events after it'),
});

const Recorded = Type.Union([Type.String(), Type.Null()], {
  description: 'The id of the recording that shows it; null if there is none on the disk of its machine',
});
const Machine = Type.String({ description: 'The machine of the detector' });
const Pictured = Type.Boolean({
  description: 'Whether its detector makes snapshots: `/api/event/<id>/snapshot.jpeg`',
});

const Event = Type.Object({
  id: DetectionEvent.properties.id,
  monitorID: Type.String(),
  machine: Machine,
  source: Type.String({ description: 'The detector' }),
  time: Type.Integer({ description: 'When its frame was taken' }),
  detections: DetectionEvent.properties.detections,
  recording: Recorded,
  snapshot: Pictured,
});

const Occurrence = Type.Object({
  monitorID: Type.String(),
  machine: Machine,
  start: Type.Integer({ description: 'The time of its first event' }),
  end: Type.Integer({ description: 'The time of its last event' }),
  events: Type.Integer({ description: 'The number of its events' }),
  labels: Type.Record(Type.String(), Type.Number(), { description: 'The best score of each label' }),
  best: Type.Object(
    { id: DetectionEvent.properties.id, time: Type.Integer(), recording: Recorded, snapshot: Pictured },
    { description: 'The event whose picture says most' },
  ),
});

const example = {
  id: '20261123T034230123-3f9c2a7be001',
  monitorID: 'door',
  machine: 'nvr1',
  source: 'tflite',
  time: 1795405350123000,
  detections: [
    { label: 'person', score: 91, box: { x: 400000, y: 300000, width: 80000, height: 250000 }, object: 'p1' },
  ],
  recording: '2026-11-23_03-40-12_door',
  snapshot: true,
};

const occurrenceExample = {
  monitorID: 'door',
  machine: 'nvr1',
  start: 1795405350123000,
  end: 1795405381000000,
  events: 41,
  labels: { person: 91, zone0: 12.5 },
  best: {
    ...{ id: '20261123T034230123-3f9c2a7be001', time: 1795405352000000 },
    ...{ recording: '2026-11-23_03-40-12_door', snapshot: true },
  },
};

const hasSnapshot = (id: string) => eventSpan(id) !== undefined;

type Services = Pick<ApiServices, 'snapshot' | 'logs'> & Pick<SiteServices, 'machine'>;

export function eventRoutes({ snapshot, logs, machine: own }: Services): Route[] {
  /** Where there are several machines, the id says which one has the recording. */
  const recordingOf = (recording: string | null, machine: string) =>
    recording === null || own === undefined ? recording : siteRecordingID(recording, machine);
  return [
    route({
      method: 'GET',
      path: '/api/event/query',
      access: 'user',
      limit: 'request',
      tag: 'Events',
      summary: 'List events',
      description:
        'What detectors found, in the order of its times. An event must match all filters; it is listed with all of its detections. What several machines of a cluster have both seen is listed as one of them has it; with `machines`, as one of these has it. For the next page, pass the time of the last event as the new `end` (or `start`), and leave out the events that both pages have.',
      query: EventQuery,
      answers: { 200: { description: 'The events', schema: Type.Array(Event), example: [example] } },
      failures: ['storage_failed'],
      async handle({ query: { limit = 100, order = 'newest', ...filter } }) {
        checkOrder(filter);
        const found = await logs.events({ ...filter, limit, oldestFirst: order === 'oldest' });
        return {
          body: found.map((event) => ({
            ...event,
            recording: recordingOf(event.recording, event.machine),
            snapshot: hasSnapshot(event.id),
          })),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/event/occurrences',
      access: 'user',
      limit: 'request',
      tag: 'Events',
      summary: 'List events, those that follow each other as one',
      description:
        'Events of one monitor that follow each other within 30 seconds are one occurrence: somebody who walks by, whatever detectors make of it. The filters choose the events, and `limit` counts occurrences, in the order of their first events. At most 250,000 detections are looked at, from the end that comes first. For the next page, pass the `start` of the last occurrence plus 1 as `before`, and leave out those that both pages have.',
      query: OccurrenceQuery,
      answers: {
        200: { description: 'The occurrences', schema: Type.Array(Occurrence), example: [occurrenceExample] },
      },
      failures: ['storage_failed'],
      async handle({ query: { limit = 100, order = 'newest', ...filter } }) {
        checkOrder(filter);
        const found = await logs.occurrences({ ...filter, limit, oldestFirst: order === 'oldest' });
        return {
          body: found.map(({ best, ...rest }) => ({
            ...rest,
            best: {
              ...best,
              recording: recordingOf(best.recording, rest.machine),
              snapshot: hasSnapshot(best.id),
            },
          })),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/event/:id/snapshot.jpeg',
      access: 'user',
      limit: 'answer',
      relay: 'event',
      tag: 'Events',
      summary: 'The snapshot of an object detection event',
      description:
        'The snapshot that shows the object best. It may be replaced by a better one while the object is in view.',
      params: Type.Object({ id: DetectionEvent.properties.id }),
      answers: { 200: { description: 'The snapshot', type: 'image/jpeg' } },
      failures: ['not_found'],
      async handle({ params: { id }, caller }) {
        const picture = (await maySeeEvent(id, caller)) ? await snapshot(id) : undefined;
        if (!picture) throw new HttpError('not_found', 'This event has no snapshot.');
        return {
          type: 'image/jpeg',
          headers: { 'Cache-Control': 'private, no-cache' },
          body: Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength),
        };
      },
    }),
  ];

  /** The id of an event does not say which monitor it is of. One that is no longer in the log is hidden. */
  async function maySeeEvent(id: string, { monitors }: Caller): Promise<boolean> {
    if (!monitors) return true;
    const span = eventSpan(id);
    if (!span || monitors.length === 0) return false;
    const spans = monitors.map((monitorID) => ({ monitorID, ...span }));
    const { events = [] } = await logs.usage({ kind: 'events', spans });
    if (events.includes(id)) return true;
    // The time of an event of a wrong clock was corrected; the bus took it at the one of the id.
    const { events: stored = [] } = await logs.usage({ kind: 'events', spans, by: 'storedAt' });
    return stored.includes(id);
  }
}
