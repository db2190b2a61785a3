import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import { asyncapi } from './asyncapi.ts';
import { openapi } from './openapi.ts';

/** @param table called when a document is requested, because the table contains these routes, too. */
export function documentRoutes(
  table: () => readonly Route[],
  { monitors, basePath }: Pick<ApiServices, 'monitors'> & { readonly basePath: { readonly path: string } },
): Route[] {
  const document = (path: string, summary: string, write: (table: readonly Route[]) => object) =>
    route({
      method: 'GET',
      path,
      access: 'user',
      limit: 'none',
      tag: 'System',
      summary,
      answers: { 200: { description: 'The document', schema: Type.Object({}) } },
      handle: () => ({ body: write(table()) }),
    });
  return [
    document('/api/openapi.json', 'This API as an OpenAPI 3.1 document', (rows) =>
      openapi(rows, monitors.schema, basePath.path || '/'),
    ),
    document('/api/asyncapi.json', 'WebSockets and MQTT as an AsyncAPI 3 document', (rows) =>
      asyncapi(
        rows,
        monitors.detectors.map(({ name }) => name),
      ),
    ),
  ];
}
