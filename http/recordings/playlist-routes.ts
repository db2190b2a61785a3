import Type from 'typebox';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import { hlsPlaylist } from '../../store/recordings/playback/playlist.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { checkSpan, incompleteHeader, incompleteText, spanFields } from './span-fields.ts';

const maxHours = 24;

export function playlistRoutes({
  recordings,
  catalogueProgress,
}: Pick<ApiServices, 'recordings' | 'catalogueProgress'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitor/:id/playlist.m3u8',
      access: 'user',
      limit: 'request',
      tag: 'Recordings',
      summary: 'HLS playlist of what was recorded',
      description: `For players: byte ranges of the recordings' files from the key frame before \`start\` on, with a discontinuity and the time where another file begins. At most ${maxHours} hours. A recording that is being written is in it up to now. ${incompleteText}`,
      params: Type.Object({ id: MonitorID }),
      query: Type.Object(spanFields),
      answers: { 200: { description: 'The playlist', type: 'application/vnd.apple.mpegurl' } },
      failures: ['not_found', 'storage_failed'],
      async handle({ params: { id }, query: { start, end } }) {
        checkSpan(start, end, maxHours);
        const footage = await recordings.footage(id, start, end);
        const playlist = hlsPlaylist(footage, (recording) => `../../recording/${recording}/video.mp4`);
        if (playlist === undefined) throw new HttpError('not_found', 'Nothing was recorded in this time.');
        return {
          type: 'application/vnd.apple.mpegurl',
          headers: {
            'Cache-Control': 'private, no-cache',
            ...incompleteHeader(catalogueProgress((monitor) => monitor === id)),
          },
          body: playlist,
        };
      },
    }),
  ];
}
