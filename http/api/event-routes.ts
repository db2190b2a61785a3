import Type from 'typebox';
import { DetectionEvent } from '../../bus/messages.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';

export function eventRoutes({ snapshot }: Pick<ApiServices, 'snapshot'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/event/:id/snapshot.jpeg',
      access: 'user',
      tag: 'Events',
      summary: 'The snapshot of an object detection event',
      description:
        'The snapshot that shows the object best. It may be replaced by a better one while the object is in view.',
      params: Type.Object({ id: DetectionEvent.properties.id }),
      answers: { 200: { description: 'The snapshot', type: 'image/jpeg' } },
      failures: ['not_found'],
      async handle({ params: { id } }) {
        const picture = await snapshot(id);
        if (!picture) throw new HttpError('not_found', 'This event has no snapshot.');
        return {
          type: 'image/jpeg',
          headers: { 'Cache-Control': 'private, no-cache' },
          body: Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength),
        };
      },
    }),
  ];
}
