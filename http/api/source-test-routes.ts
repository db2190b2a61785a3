import { Type } from 'typebox';
import { MonitorSource } from '../../store/monitors/monitor-config.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { SourceTest } from '../request/source-test-answer.ts';
import type { SiteServices } from '../state/site-catalogue.ts';

type Services = Pick<ApiServices, 'monitors' | 'testSource' | 'log'> & Pick<SiteServices, 'machine'>;

const maxTestSeconds = 15;

export function sourceTestRoutes({ monitors, testSource, log, machine }: Services): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/monitor/test',
      access: 'admin',
      relay: 'camera',
      tag: 'Monitor',
      summary: 'Try a source before it is stored',
      description:
        'Plays the source of a monitor for a few seconds and answers what it offers, with its first picture, or why it cannot be used (`ok` is then false, and the status still 200). Logs in once: the sub stream comes after the main one, over the same connection where the camera leaves that open. Takes at most 15 seconds. One test runs at a time; 503 while it does. Where several machines are one system, it is tried by the first one that is heard of `machines`, of the request or of the stored monitor with the same `id`, unless this machine is one of them; 503 if none is heard. Other fields of a monitor may be sent as well, and are ignored. Passwords sent as asterisks are those of the stored monitor with the same `id`.',
      // Validated by the store, as a monitor's configuration is.
      body: Type.Unknown(),
      documentedBody: MonitorSource,
      bodyExample: {
        source: 'rtsp',
        sourcertsp: { protocol: 'tcp', mainStream: 'rtsp://user:pass@127.0.0.1:8554/main' },
      },
      answers: {
        200: {
          description: 'What the source offers, or why it cannot be used',
          schema: SourceTest,
          example: {
            ok: true,
            main: {
              tracks: [
                { kind: 'video', codec: 'H264', clockRate: 90_000, channels: null },
                { kind: 'audio', codec: 'AAC', clockRate: 16_000, channels: 1 },
              ],
              video: {
                ...{ codec: 'h264', width: 1920, height: 1080 },
                ...{ frameRate: 15, keyFrameDistance: 2, bFrames: false },
              },
              audio: 'AAC',
              picture: '/9j/4AAQSkZJRg…',
            },
          },
        },
      },
      failures: ['unavailable'],
      async handle({ body, caller, signal }) {
        const monitor = monitors.readSource(body);
        const tested = await testSource(monitor, signal);
        if (!tested) {
          throw new HttpError('unavailable', 'Another source is being tested.', {
            headers: { 'Retry-After': String(maxTestSeconds) },
          });
        }
        const outcome = tested.ok ? 'works' : `does not work: ${tested.detail}`;
        log.info(`a source was tested by '${caller.username}' and ${outcome}`);
        return { body: { ...tested, ...(machine !== undefined && { machine }) } };
      },
    }),
  ];
}
