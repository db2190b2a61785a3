import { createHash } from 'node:crypto';
import fresh from 'fresh';
import { Type } from 'typebox';
import { siteRecordingID } from '../../bus/recording-id.ts';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import { hlsPlaylist } from '../../store/recordings/playback/playlist.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { incompleteHeader, incompleteText } from '../state/incomplete-catalogue.ts';
import type { SiteServices } from '../state/site-catalogue.ts';
import { checkSpan, spanFields } from './span-fields.ts';

const maxHours = { all: 24, key: 1 };

const framesField = Type.Optional(
  Type.Enum(['all', 'key'], {
    default: 'all',
    description: 'all frames, or the key frames alone; all if left out',
  }),
);

type Services = Pick<ApiServices, 'recordings' | 'catalogueProgress'> & Pick<SiteServices, 'machine'>;

export function playlistRoutes({ recordings, catalogueProgress, machine }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitor/:id/playlist.m3u8',
      access: 'user',
      limit: 'request',
      relay: 'playlist',
      tag: 'Recordings',
      summary: 'HLS playlist of what was recorded',
      description: `For players: byte ranges of the recordings' files from the key frame before \`start\` on, with a discontinuity and the time where another file begins. At most ${maxHours.all} hours. With \`frames=key\` an I-frame playlist of at most ${maxHours.key} hour, for preview pictures: of key frames that follow each other within half a second, the first. A recording that is being written is in it up to now. Where several machines are one system, footage of all of them is in it; \`X-Footage-Away\` names machines that are away and have a part. Answers \`If-None-Match\`. ${incompleteText}`,
      params: Type.Object({ id: MonitorID }),
      query: Type.Object({ ...spanFields, frames: framesField }),
      answers: {
        200: { description: 'The playlist', type: 'application/vnd.apple.mpegurl' },
        304: { description: 'Unchanged' },
      },
      failures: ['not_found', 'storage_failed'],
      check: ({ query: { start, end, frames = 'all' } }) => checkSpan(start, end, maxHours[frames]),
      async handle({ params: { id }, query: { start, end, frames = 'all' }, headers: requested }) {
        const footage = await recordings.footage(id, start, end);
        const addressOf = (recording: string) => {
          const name = machine === undefined ? recording : siteRecordingID(recording, machine);
          return `../../recording/${name}/video.mp4`;
        };
        const playlist = hlsPlaylist(footage, addressOf, frames);
        if (playlist === undefined) throw new HttpError('not_found', 'Nothing was recorded in this time.');
        const headers = {
          'Cache-Control': 'private, no-cache',
          ETag: `"${createHash('sha256').update(playlist).digest('base64url').slice(0, 22)}"`,
          ...incompleteHeader(catalogueProgress((monitor) => monitor === id)),
        };
        if (fresh(requested, { etag: headers.ETag })) return { status: 304, headers };
        return { type: 'application/vnd.apple.mpegurl', headers, body: playlist };
      },
    }),
  ];
}
