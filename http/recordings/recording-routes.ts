import { Type } from 'typebox';
import type { CatalogueEntry, RecordingFilter } from '../../store/log/catalogue/recording-catalogue.ts';
import type { ApiServices } from '../request/api-services.ts';
import { checkOrder } from '../request/query.ts';
import { type Route, route } from '../request/route.ts';
import { incompleteList, incompleteText } from '../state/incomplete-catalogue.ts';
import type { SiteRecording, SiteServices } from '../state/site-catalogue.ts';
import { monitorsField, optionalTime, RecordingID, streamField } from './span-fields.ts';

const idOrAny = (description: string) => Type.Optional(Type.String({ maxLength: 320, description }));

const RecordingQuery = Type.Object({
  monitors: monitorsField,
  stream: streamField,
  start: optionalTime('only recordings that reach beyond this time'),
  end: optionalTime('only recordings that begin before this time'),
  before: idOrAny('only recordings older than the one with this id: the next page'),
  after: idOrAny('only recordings newer than the one with this id, oldest first: the page before'),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: 'a number of recordings, 1 to 1000',
    }),
  ),
});

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });

const Recording = Type.Object({
  id: RecordingID,
  monitorID: Type.String(),
  stream: Type.Enum(['main', 'sub']),
  state: Type.Enum(['recording', 'saved', 'lost'], {
    description: '`recording` while it is written; `lost` if it ended early, see `reason`',
  }),
  start: Type.Integer({ description: 'When its first frame was taken' }),
  end: nullable(Type.Integer(), 'When its last frame ended; null while it is written'),
  bytes: nullable(Type.Integer(), 'Size of its file; while it is written, as last reported'),
  video: nullable(
    Type.Object({ codec: Type.String(), width: Type.Integer(), height: Type.Integer() }),
    'Null if not known',
  ),
  audio: nullable(Type.String(), 'The codec; null if it has no audio, or if that is not known'),
  reason: Type.String({ description: 'Why it ended early; empty otherwise' }),
  protected: Type.Union([Type.Boolean(), Type.Null()], {
    description: 'Whether it is kept from being deleted; null while its machine does not say so',
  }),
  machine: Type.Optional(
    Type.String({ description: 'Where several machines are one system: the one that has it' }),
  ),
  away: Type.Optional(
    Type.Boolean({
      description:
        'Where several machines are one system: whether that machine is not heard, so that its file cannot be had',
    }),
  ),
});

const example = {
  id: '2026-11-23_03-40-12_door',
  monitorID: 'door',
  stream: 'main',
  state: 'saved',
  start: 1795405212500000,
  end: 1795406112500000,
  bytes: 382500000,
  video: { codec: 'h264', width: 1920, height: 1080 },
  audio: 'aac',
  reason: '',
  protected: false,
};

type Services = Pick<ApiServices, 'recordings' | 'log' | 'catalogueProgress'> &
  Pick<SiteServices, 'siteCatalogue'>;

export function recordingRoutes(services: Services): Route[] {
  const { recordings, log, siteCatalogue } = services;
  const ownList = async (filter: RecordingFilter) => {
    const found = await recordings.list(filter);
    const marked = await recordings.protectedOf(found.map(({ id }) => id));
    return found.map((entry) => ({ ...entry, protected: marked.has(entry.id) }));
  };
  return [
    route({
      method: 'GET',
      path: '/api/recording/query',
      access: 'user',
      limit: 'request',
      tag: 'Recordings',
      summary: 'List recordings',
      description: `Newest first; oldest first if only \`after\` is given. A recording must match all filters. To get the next page, pass the id of the last recording as \`before\`; for the page before this one, the id of the first as \`after\`. The recordings that are being written are among them. Where several machines are one system, those of all of them are listed, also of one that is away; an id then says whose it is, and is good on every machine. ${incompleteText}`,
      query: RecordingQuery,
      answers: { 200: { description: 'The recordings', schema: Type.Array(Recording), example: [example] } },
      failures: ['storage_failed'],
      async handle({ query: { limit = 100, stream = 'main', ...filter }, caller }) {
        checkOrder(filter);
        const oldestFirst = filter.after !== undefined && filter.before === undefined;
        const wanted = { ...filter, stream, limit, oldestFirst };
        const [found, headers] = await Promise.all([
          siteCatalogue?.list(wanted) ?? ownList(wanted),
          incompleteList(services, caller),
        ]);
        return { headers, body: found.map(describe) };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/recording',
      access: 'admin',
      relay: 'recording',
      tag: 'Recordings',
      summary: 'Delete a recording',
      description:
        'Its file is deleted at once, with its thumbnail, and with its events and their snapshots if it is of the main stream. The recording that is being written is refused, and so is a protected one.',
      query: Type.Object({ id: RecordingID }),
      answers: { 200: { description: 'Deleted' } },
      failures: ['not_found', 'conflict', 'storage_failed'],
      async handle({ query: { id }, caller }) {
        await recordings.remove(id, `by '${caller.username}'`);
        log.info(`recording ${id} deleted by '${caller.username}'`);
        return {};
      },
    }),
  ];
}

type Listed = CatalogueEntry & Pick<SiteRecording, 'protected'> & Partial<SiteRecording>;

function describe(entry: Listed) {
  const { id, monitorID, stream, start, end, bytes, videoCodec, width, height, audioCodec, reason } = entry;
  const state = end === null ? 'recording' : reason === '' ? 'saved' : 'lost';
  const video = videoCodec !== null && width !== null && height !== null;
  return {
    ...{ id, monitorID, stream, state, start, end, bytes },
    video: video ? { codec: videoCodec, width, height } : null,
    audio: audioCodec,
    reason,
    protected: entry.protected,
    ...(entry.machine !== undefined && { machine: entry.machine, away: entry.away }),
  };
}
