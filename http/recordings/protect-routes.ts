import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import { RecordingID } from './span-fields.ts';

export function protectRoutes({ recordings, log }: Pick<ApiServices, 'recordings' | 'log'>): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/api/recording/:id/protect',
      access: 'admin',
      relay: 'recording',
      tag: 'Recordings',
      summary: 'Protect a recording',
      description:
        'No limit and no account deletes it until its protection is ended. The mark is a file beside the recording, `<id>.protected`. Nothing changes if it is protected already.',
      params: Type.Object({ id: RecordingID }),
      answers: { 200: { description: 'Protected' } },
      failures: ['not_found', 'storage_failed'],
      async handle({ params: { id }, caller }) {
        await recordings.protect(id, caller.username);
        log.info(`recording ${id} protected by '${caller.username}'`);
        return {};
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/recording/:id/protect',
      access: 'admin',
      relay: 'recording',
      tag: 'Recordings',
      summary: 'Protect a recording no longer',
      description: 'From now on it may be deleted like others. Nothing changes if it is not protected.',
      params: Type.Object({ id: RecordingID }),
      answers: { 200: { description: 'No longer protected' } },
      failures: ['not_found', 'storage_failed'],
      async handle({ params: { id }, caller }) {
        await recordings.unprotect(id);
        log.info(`recording ${id} no longer protected by '${caller.username}'`);
        return {};
      },
    }),
  ];
}
