import { Readable } from 'node:stream';
import Type from 'typebox';
import { type ExportFormat, exportFormats } from '../store/log-encoding.ts';
import { range, rangeFilter } from './log-filter.ts';
import { type Route, route } from './route.ts';
import type { Services } from './services.ts';

const types: Readonly<Record<ExportFormat, string>> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const ExportQuery = Type.Object({
  format: Type.Enum([...exportFormats], { description: `one of ${exportFormats.join(', ')}` }),
  ...range,
});

export function logExportRoutes({ logs }: Pick<Services, 'logs'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/log/export',
      access: 'admin',
      tag: 'Logs',
      summary: 'Export log entries',
      description:
        'Every entry that matches, oldest first, as one file with the columns time, level, src, monitorID and msg; `time` is a Unix time in microseconds. Sent as it is read, so an answer that breaks off was not whole.',
      query: ExportQuery,
      answers: { 200: { description: 'The file', types: Object.values(types) } },
      failures: ['conflict', 'storage_failed'],
      async handle({ query: { format, ...rest } }) {
        const pieces = logs.export(rangeFilter(rest), format);
        // Before the answer begins: a failure can still be told.
        const first = await pieces.next();
        return {
          type: types[format],
          headers: { 'Content-Disposition': `attachment; filename="log.${format}"` },
          body: streamOf(first, pieces),
        };
      },
    }),
  ];
}

/** Reads a piece only when the client has taken the one before it. */
function streamOf(first: IteratorResult<Uint8Array>, rest: AsyncGenerator<Uint8Array>): Readable {
  let ready: IteratorResult<Uint8Array> | undefined = first;
  return new Readable({
    highWaterMark: 1,
    read() {
      const next = ready ? Promise.resolve(ready) : rest.next();
      ready = undefined;
      next.then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      rest.return(undefined).then(
        () => done(error),
        () => done(error),
      );
    },
  });
}
