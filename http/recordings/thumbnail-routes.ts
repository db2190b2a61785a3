import fresh from 'fresh';
import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { optionalTime, RecordingID } from './span-fields.ts';

const retrySeconds = '2';

export function thumbnailRoutes({ recordings }: Pick<ApiServices, 'recordings'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/recording/:id/thumbnail.jpeg',
      access: 'user',
      limit: 'request',
      relay: 'recording',
      tag: 'Recordings',
      summary: 'A picture of a recording',
      description:
        'Its first frame, or with `time` the one that was taken then; at most 640 pixels wide. Pictures are made one at a time; too many requests at once are answered with 503.',
      params: Type.Object({ id: RecordingID }),
      query: Type.Object({ time: optionalTime('when the frame was taken') }),
      answers: {
        200: { description: 'The picture', type: 'image/jpeg' },
        304: { description: 'Unchanged' },
      },
      failures: ['not_found', 'unavailable', 'storage_failed'],
      async handle({ params: { id }, query: { time }, headers: requested }) {
        // The frame of a time never changes.
        const headers = { 'Cache-Control': 'private, no-cache', ETag: `"${id}-${time ?? 'first'}"` };
        if (!(await recordings.has(id))) throw new HttpError('not_found', 'There is no such recording.');
        if (time === undefined && fresh(requested, { etag: headers.ETag })) return { status: 304, headers };
        const picture = await recordings.picture(id, time);
        if (picture === undefined) throw new HttpError('not_found', 'The recording has no such picture.');
        if (picture === 'busy')
          throw new HttpError(
            'unavailable',
            'Too many pictures are being made, or the machine is too busy for this one.',
            {
              headers: { 'Retry-After': retrySeconds },
            },
          );
        return { type: 'image/jpeg', headers, body: Buffer.from(picture) };
      },
    }),
  ];
}
