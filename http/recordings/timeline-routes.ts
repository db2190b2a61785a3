import { Type } from 'typebox';
import type { ApiServices } from '../request/api-services.ts';
import { type Route, route } from '../request/route.ts';
import { incompleteList, incompleteText } from '../state/incomplete-catalogue.ts';
import type { SiteServices } from '../state/site-catalogue.ts';
import { monitorsField, timeSchema } from './span-fields.ts';

const minBucketUs = 1_000_000;
const maxBucketUs = 366 * 86_400 * 1_000_000;

const TimelineQuery = Type.Object({
  monitors: monitorsField,
  start: timeSchema('the beginning'),
  end: timeSchema('the end, not included'),
  bucket: Type.Optional(
    Type.Integer({
      minimum: minBucketUs,
      maximum: maxBucketUs,
      description: 'a length in microseconds, at least 1000000; chosen to fit if left out',
    }),
  ),
});

const Pairs = Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }));

const TimelineAnswer = Type.Object({
  start: Type.Integer(),
  end: Type.Integer(),
  bucket: Type.Integer({ description: 'The length of a bucket in microseconds' }),
  monitors: Type.Array(
    Type.Object({
      id: Type.String(),
      recorded: Type.Unsafe<number[][]>({
        ...Pairs,
        description: 'First and last bucket of each uninterrupted range with footage',
      }),
      events: Type.Record(Type.String(), Pairs, {
        description: 'By label: the buckets with detections, and their number',
      }),
    }),
    { description: 'Those of which there is something' },
  ),
});

type Services = Pick<ApiServices, 'logs' | 'catalogueProgress'> & Pick<SiteServices, 'siteCatalogue'>;

export function timelineRoutes(services: Services): Route[] {
  const { logs, siteCatalogue } = services;
  return [
    route({
      method: 'GET',
      path: '/api/timeline',
      access: 'user',
      limit: 'request',
      tag: 'Recordings',
      summary: 'When something was recorded, and when something happened',
      description: `Buckets are numbered from 0; bucket n begins at \`start\` + n × \`bucket\`. A bucket counts as recorded if a part of it was. At most 64 KB at any zoom: without \`bucket\` a length is chosen that fits, with one a longer answer is refused. ${incompleteText}`,
      query: TimelineQuery,
      answers: {
        200: {
          description: 'The timeline',
          schema: TimelineAnswer,
          example: {
            start: 1795392000000000,
            end: 1795478400000000,
            bucket: 300000000,
            monitors: [{ id: 'door', recorded: [[44, 47]], events: { person: [[45, 2]] } }],
          },
        },
      },
      failures: ['storage_failed'],
      async handle({ query: { monitors = [], ...rest }, caller }) {
        const [body, headers] = await Promise.all([
          logs.timeline({ monitors, ...rest, heard: siteCatalogue?.heard() }),
          incompleteList(services, caller),
        ]);
        return { headers, body };
      },
    }),
  ];
}
