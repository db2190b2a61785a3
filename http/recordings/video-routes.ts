import type { FileHandle } from 'node:fs/promises';
import { Type } from 'typebox';
import { parseRecordingID } from '../../bus/recording-id.ts';
import { readFileRange } from '../../store/recordings/files/file-range.ts';
import { mayGrow } from '../../store/recordings/files/recording-files.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, route } from '../request/route.ts';
import { byteAnswer } from './byte-answer.ts';
import { downloadName } from './download-name.ts';
import type { OpenLimit } from './open-limit.ts';
import { RecordingID } from './span-fields.ts';

type Services = Pick<ApiServices, 'recordings' | 'monitors'> & { readonly limit: OpenLimit };

export function videoRoutes({ recordings, monitors, limit }: Services): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/recording/:id/video.mp4',
      access: 'user',
      limit: 'request',
      relay: 'recording',
      tag: 'Recordings',
      summary: 'The file of a recording',
      description:
        'Fragmented MP4. Answers `Range`, `If-Range`, `If-None-Match` and `If-Modified-Since`. Of a recording that is being written: what it has now, in whole fragments; it then has no validators.',
      params: Type.Object({ id: RecordingID }),
      answers: {
        200: { description: 'The whole file', type: 'video/mp4' },
        206: { description: 'The range that was asked for', type: 'video/mp4' },
        304: { description: 'Unchanged' },
      },
      failures: ['not_found', 'range_not_satisfiable', 'unavailable'],
      async handle({ params: { id }, headers, caller }) {
        const recording = await recordings.open(id);
        if (!recording) throw new HttpError('not_found', 'There is no such recording.');
        const { handle, bytes, modifiedMs } = recording;
        const { monitorID = '', startMs = 0 } = parseRecordingID(id) ?? {};
        const content = {
          type: 'video/mp4',
          length: bytes,
          etag: mayGrow(recording) ? undefined : `"${bytes}-${Math.round(modifiedMs)}"`,
          modifiedMs,
          fileName: downloadName(monitors.get(monitorID)?.name ?? monitorID, startMs, 'mp4'),
          read: (from: number, to: number) => readAndClose(handle, from, to),
          close: () => handle.close(),
        };
        return byteAnswer(content, { headers, caller }, limit);
      },
    }),
  ];
}

/** Closes the file at the end. */
async function* readAndClose(handle: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  try {
    yield* readFileRange(handle, from, to);
  } finally {
    await handle.close();
  }
}
