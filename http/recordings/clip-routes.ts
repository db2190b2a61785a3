import { Type } from 'typebox';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import type { ClipFootage } from '../../store/recordings/clip/clip-footage.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, type RouteAnswer, type RouteCall, route } from '../request/route.ts';
import { incompleteHeader, incompleteText } from '../state/incomplete-catalogue.ts';
import { byteAnswer } from './byte-answer.ts';
import { downloadName } from './download-name.ts';
import type { OpenLimit } from './open-limit.ts';
import { checkSpan, spanFields } from './span-fields.ts';

/** Tables of longer ones would need 64-bit times, which few players read. */
const maxHours = 12;

type Services = Pick<ApiServices, 'recordings' | 'monitors' | 'catalogueProgress'> & {
  readonly limit: OpenLimit;
};

export function clipRoutes({ recordings, monitors, catalogueProgress, limit }: Services): Route[] {
  const answer = async (
    id: string,
    { start, end }: { readonly start: number; readonly end: number },
    call: Pick<RouteCall, 'headers' | 'caller'>,
    find?: () => Promise<ClipFootage>,
  ): Promise<RouteAnswer> => {
    const clip = await recordings.clip(id, start, end, find);
    if (clip === undefined) throw new HttpError('not_found', 'Nothing was recorded in this time.');
    if (clip === 'busy')
      throw new HttpError('unavailable', 'Too many clips are being made.', {
        headers: { 'Retry-After': '5' },
      });
    if ('changes' in clip)
      throw new HttpError('conflict', `The picture or the audio changes at ${clip.changes.join(', ')}.`, {
        pointer: '/end',
        members: { changes: clip.changes },
      });
    const content = {
      type: 'video/mp4',
      length: clip.length,
      etag: `"${clip.hash}"`,
      fileName: downloadName(monitors.get(id)?.name ?? id, clip.startUs / 1000, 'mp4'),
      read: (from: number, to: number) => clip.read(from, to),
      close: async () => {},
    };
    const answered = await byteAnswer(content, call, limit);
    return {
      ...answered,
      headers: { ...answered.headers, ...incompleteHeader(catalogueProgress((monitor) => monitor === id)) },
    };
  };
  return [
    route({
      method: 'GET',
      path: '/api/monitor/:id/clip.mp4',
      access: 'user',
      limit: 'request',
      relay: 'clip',
      tag: 'Recordings',
      summary: 'A span of time as one MP4 file',
      description: `What was recorded from \`start\` to \`end\`, cut to the frame, with audio; time in which nothing was recorded is left out. At most ${maxHours} hours. Where the size, the codec or the audio changes there is no one file: status 409, with the times of the changes in \`changes\`. Where several machines are one system, footage of all of them is in it; while one is away that has a part, status 409 as well, with the times at which another one begins. Answers \`Range\`, \`If-Range\` and \`If-None-Match\`. The same span is the same file for five minutes, although a recording in it may grow. ${incompleteText}`,
      params: Type.Object({ id: MonitorID }),
      query: Type.Object(spanFields),
      answers: {
        200: { description: 'The whole clip', type: 'video/mp4' },
        206: { description: 'The range that was asked for', type: 'video/mp4' },
        304: { description: 'Unchanged' },
      },
      failures: ['not_found', 'conflict', 'range_not_satisfiable', 'storage_failed', 'unavailable'],
      check: ({ query: { start, end } }) => checkSpan(start, end, maxHours),
      handle: ({ params: { id }, query, headers, caller }) => answer(id, query, { headers, caller }),
      across: ({ params: { id }, query, headers, caller }, find) =>
        answer(id, query, { headers, caller }, find),
    }),
  ];
}
