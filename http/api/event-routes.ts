import Type from 'typebox';
import { DetectionEvent } from '../../bus/messages.ts';
import { eventTimeMs } from '../../store/recordings/snapshots.ts';
import type { ApiServices } from '../request/api-services.ts';
import type { Caller } from '../request/caller.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

/** The time in an event's id is that of its publication; the event's own is that of its frame. */
const maxDelayUs = 300_000_000;
const clockSlackUs = 60_000_000;

export function eventRoutes({ snapshot, logs }: Pick<ApiServices, 'snapshot' | 'logs'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/event/:id/snapshot.jpeg',
      access: 'user',
      limit: 'answer',
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
    const timeUs = eventTimeMs(id) * 1000;
    if (Number.isNaN(timeUs)) return false;
    const [start, end] = [timeUs - maxDelayUs, timeUs + clockSlackUs];
    const spans = monitors.map((monitorID) => ({ monitorID, start, end }));
    const { events = [] } = spans.length > 0 ? await logs.usage({ kind: 'events', spans }) : {};
    return events.includes(id);
  }
}
