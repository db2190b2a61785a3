import Type from 'typebox';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { type LiveFeed, maxViewers, maxViewersOfMonitor } from './live-feed.ts';
import { LiveGap, LiveStart, LiveState } from './live-messages.ts';

const description = `Video for Media Source Extensions. Text frames are JSON and say by their \`type\` what they are:

- \`state\`, first and at each change: the state of the monitor and its reason.
- \`start\`: the next binary frame is an init segment and the last group of pictures, whole. At the beginning, after the camera was offline, and when its format changes.
- \`gap\`: the client was too slow, pictures were left out; the next binary frame is a key frame.

Every other binary frame is a fragment with one picture. While the monitor is offline or disabled the WebSocket stays open. At most ${maxViewersOfMonitor} clients watch a monitor, and ${maxViewers} in all.`;

type LiveServices = Pick<ApiServices, 'monitors'> & { readonly live: LiveFeed };

export function liveRoutes({ monitors, live }: LiveServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitor/:id/live',
      access: 'user',
      limit: 'request',
      tag: 'Live',
      summary: 'Live video (WebSocket)',
      description,
      params: Type.Object({ id: MonitorID }),
      query: Type.Object({
        stream: Type.Optional(
          Type.Enum(['main', 'sub'], {
            default: 'main',
            description: '"main" or "sub"; the main stream is sent where there is no other',
          }),
        ),
      }),
      answers: { 101: { description: 'JSON and MP4, see above', schema: LiveState } },
      messages: {
        liveState: LiveState,
        liveStart: LiveStart,
        liveGap: LiveGap,
        liveFragment:
          'One `moof` and `mdat` with one picture; after `liveStart`, `ftyp` and `moov` and as many as the group has.',
      },
      failures: ['not_found', 'upgrade_required', 'unavailable'],
      // Never called: `app.ts` refuses requests without a WebSocket handshake.
      handle: () => ({ status: 426 }),
      beforeConnect({ params: { id } }) {
        if (!monitors.get(id)) throw new HttpError('not_found', 'There is no such monitor.');
      },
      connect: (connection, { params: { id }, query: { stream = 'main' } }) =>
        live.connect(connection, id, stream),
    }),
  ];
}
