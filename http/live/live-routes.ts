import { Type } from 'typebox';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { type LiveFeed, maxViewers, maxViewersOfMonitor } from './live-feed.ts';
import { LiveDetections, LiveGap, LiveStart, LiveState, LiveZones } from './live-messages.ts';

const description = `Video for Media Source Extensions. Text frames are JSON and say by their \`type\` what they are:

- \`state\`, first and at each change: the state of the monitor and its reason.
- \`start\`: the next binary frame is an init segment and the last group of pictures, whole. At the beginning, after the camera was offline, and when its format changes.
- \`gap\`: the client was too slow, pictures were left out; the next binary frame is a key frame.
- \`detections\`: of one detector in one frame, soon after it; \`mediaTime\` says which.
- \`zones\`, after the first \`state\` and at each change: where detectors look.

Every other binary frame is a fragment with one picture, or, with \`sound=1\`, with a frame of sound: of track 2, whose init segment is in \`start\`. While the monitor is offline or disabled the WebSocket stays open. At most ${maxViewersOfMonitor} clients watch a monitor, and ${maxViewers} in all.`;

type LiveServices = Pick<ApiServices, 'monitors'> & { readonly live: LiveFeed };

export function liveRoutes({ monitors, live }: LiveServices): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitor/:id/live',
      access: 'user',
      limit: 'request',
      relay: 'monitor',
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
        sound: Type.Optional(
          Type.Enum(['0', '1'], { default: '0', description: '"1" for sound, if there is any' }),
        ),
      }),
      answers: { 101: { description: 'JSON and MP4, see above', schema: LiveState } },
      messages: {
        liveState: LiveState,
        liveStart: LiveStart,
        liveGap: LiveGap,
        liveDetections: LiveDetections,
        liveZones: LiveZones,
        liveSound:
          'With `sound=1`: one `moof` and `mdat` of track 2 with a frame of AAC, for a SourceBuffer of its own.',
        liveFragment:
          'One `moof` and `mdat` with one picture; after `liveStart`, `ftyp` and `moov` and as many as the group has.',
      },
      failures: ['not_found', 'upgrade_required', 'unavailable'],
      // Never called: `app.ts` refuses requests without a WebSocket handshake.
      handle: () => ({ status: 426 }),
      beforeConnect({ params: { id } }) {
        if (!monitors.get(id)) throw new HttpError('not_found', 'There is no such monitor.');
      },
      connect: (connection, { params: { id }, query: { stream = 'main', sound } }) =>
        live.connect(connection, { monitorID: id, asked: stream, listens: sound === '1' }),
    }),
  ];
}
