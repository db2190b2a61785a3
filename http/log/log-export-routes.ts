import { Type } from 'typebox';
import { type ExportFormat, exportFormats } from '../../store/log/export/export-format.ts';
import type { ApiServices } from '../request/api-services.ts';
import { downloadOf } from '../request/download.ts';
import { type Route, route } from '../request/route.ts';
import { rangeFields, rangeFilter } from './query-fields.ts';

const types: Readonly<Record<ExportFormat, string>> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const ExportQuery = Type.Object({
  format: Type.Enum([...exportFormats], { description: `one of ${exportFormats.join(', ')}` }),
  ...rangeFields,
});

export function logExportRoutes({ logs }: Pick<ApiServices, 'logs'>): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/log/export',
      access: 'admin',
      tag: 'Logs',
      summary: 'Export log entries',
      description:
        'Every entry that matches, oldest first, as one file with the columns time, level, src, monitorID, msg and machine; `time` is a Unix time in microseconds. Sent while it is read: a response that breaks off is incomplete.',
      query: ExportQuery,
      answers: { 200: { description: 'The file', types: Object.values(types) } },
      failures: ['unavailable', 'storage_failed'],
      async handle({ query: { format, ...rest } }) {
        return {
          type: types[format],
          headers: { 'Content-Disposition': `attachment; filename="log.${format}"` },
          body: await downloadOf(logs.export(rangeFilter(rest), format)),
        };
      },
    }),
  ];
}
