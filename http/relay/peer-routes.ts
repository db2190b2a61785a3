import { type Static, Type } from 'typebox';
import { RecordingReport } from '../../bus/messages.ts';
import { recordingIDPattern } from '../../bus/recording-id.ts';
import { compileValidator } from '../../store/base/validator.ts';
import type { CataloguePage } from '../../store/log/catalogue-comparison.ts';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import type { FragmentIndex } from '../../store/recordings/fragments/fragment-index.ts';
import { parseIndex } from '../../store/recordings/fragments/index-file.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import type { ApiServices } from '../request/api-services.ts';
import { HttpError } from '../request/http-error.ts';
import { type Route, type RouteAnswer, route } from '../request/route.ts';
import { incompleteHeader } from '../state/incomplete-catalogue.ts';
import { bytesOf } from './answer-bytes.ts';
import { type PeerRequests, unreachable } from './peer-requests.ts';
import type { RelayedCaller } from './relayed-caller.ts';

const OwnID = Type.String({ pattern: recordingIDPattern });
/** A page of recordings. */
const Marks = Type.Object({ ids: Type.Array(OwnID, { maxItems: 1000 }) });
const checkMarks = compileValidator(Marks);
const Catalogue = Type.Object({
  identity: Type.String({ minLength: 1, maxLength: 64 }),
  sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  recordings: Type.Array(RecordingReport, { maxItems: 1000 }),
  isLast: Type.Boolean(),
});
const checkCatalogue = compileValidator(Catalogue);
/** Neither a list nor a clip waits longer for a machine that is heard, but does not answer. */
const patienceMs = 1000;
const unknownHeader = incompleteHeader({ state: 'checking', added: 0, missing: 0 });
/** A clip waits longer for the index of each recording, which may have megabytes. */
const indexPatienceMs = 5000;
/** Nobody waits for it. */
const cataloguePatienceMs = 15_000;

/** The machine that asks, not one of its callers. */
export const machineCaller: RelayedCaller = { id: '', username: '', isAdmin: true, monitors: undefined };

interface PeerServices extends Pick<ApiServices, 'logs' | 'catalogueProgress'> {
  readonly recordings: Pick<RecordingArchive, 'protectedOf' | 'indexBytes'>;
}

/** What only the other machines may ask: what no database has. */
export function peerRoutes({ recordings, logs, catalogueProgress }: PeerServices): Route[] {
  return [
    route({
      method: 'POST',
      path: '/cluster/protected',
      access: 'admin',
      tag: 'Recordings',
      summary: 'Which of these recordings are protected',
      body: Marks,
      answers: { 200: { description: 'Their ids', schema: Marks } },
      handle: async ({ body: { ids } }) => ({ body: { ids: [...(await recordings.protectedOf(ids))] } }),
    }),
    route({
      method: 'GET',
      path: '/cluster/index/:id',
      access: 'admin',
      tag: 'Recordings',
      summary: 'Where the fragments of a recording are',
      params: Type.Object({ id: OwnID }),
      answers: { 200: { description: 'The recording without its media', type: 'application/octet-stream' } },
      async handle({ params: { id } }) {
        const body = await recordings.indexBytes(id);
        if (!body) throw new HttpError('not_found', 'There is no such recording.');
        return { type: 'application/octet-stream', body };
      },
    }),
    route({
      method: 'POST',
      path: '/cluster/catalogue',
      access: 'admin',
      tag: 'Recordings',
      summary: 'Whether the catalogue has all recordings of these monitors, of all if none are named',
      body: Type.Object({ monitors: Type.Optional(Type.Array(MonitorID)) }),
      answers: { 204: { description: 'Its headers say it' } },
      handle: async ({ body: { monitors } }) => ({
        status: 204,
        headers: incompleteHeader(catalogueProgress((id) => monitors?.includes(id) ?? true)),
      }),
    }),
    route({
      method: 'GET',
      path: '/cluster/recordings',
      access: 'admin',
      tag: 'Recordings',
      summary: 'The recordings that this machine has, with ids after this one',
      query: Type.Object({ after: Type.Optional(OwnID) }),
      answers: { 200: { description: 'A page of them', schema: Catalogue } },
      async handle({ query: { after = '' } }) {
        // What is not listed yet would be taken for gone.
        if (catalogueProgress().state !== 'complete')
          throw new HttpError('unavailable', 'The catalogue may not have all recordings of the folder.');
        return { body: await logs.comparison.page(after) };
      },
    }),
  ];
}

/** @returns the protected ones of these; undefined if the machine does not say so within a second. */
export async function askForMarks(
  peers: PeerRequests,
  machine: string,
  ids: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  try {
    const answer = await peers.ask(machine, {
      ...{ method: 'POST', url: '/cluster/protected', body: { ids }, headers: {}, monitorID: '' },
      ...{ caller: machineCaller, signal: AbortSignal.timeout(patienceMs) },
    });
    const found: unknown = JSON.parse((await bytesOf(answer)).toString());
    return checkMarks(found) ? undefined : new Set((found as Static<typeof Marks>).ids);
  } catch {
    return undefined;
  }
}

/**
 * @param monitors all if left out.
 * @returns the headers of an answer of this machine about these monitors' footage. A machine that does not say within a second whether
 * its catalogue is complete may have footage that nobody lists.
 */
export async function askForProgress(
  peers: PeerRequests,
  machine: string,
  monitors: readonly string[] | undefined,
): Promise<RouteAnswer['headers']> {
  const asked = peers.ask(machine, {
    ...{ method: 'POST', url: '/cluster/catalogue', body: { monitors }, headers: {}, monitorID: '' },
    ...{ caller: machineCaller, signal: AbortSignal.timeout(patienceMs) },
  });
  return asked.then(
    ({ status, headers }) => (status === 204 ? headers : unknownHeader),
    () => unknownHeader,
  );
}

/**
 * @param signal ends the request.
 * @returns undefined if the machine has no such recording, or a damaged one.
 * @throws {HttpError} `unavailable` if it does not send all of it within 5 s.
 */
export async function askForIndex(
  peers: PeerRequests,
  machine: string,
  id: string,
  signal: AbortSignal,
): Promise<FragmentIndex | undefined> {
  const deadline = AbortSignal.timeout(indexPatienceMs);
  const answer = await peers.ask(machine, {
    ...{ method: 'GET', url: `/cluster/index/${id}`, headers: {}, monitorID: '' },
    ...{ caller: machineCaller, signal: AbortSignal.any([signal, deadline]) },
  });
  const bytes = await bytesOf(answer).catch((cause: unknown) => {
    throw unreachable(machine, cause);
  });
  return answer.status === 200 ? parseIndex(bytes) : undefined;
}

/**
 * What a machine has: its recordings with ids after this one, or the first ones of `''`.
 *
 * @param signal ends the request.
 * @throws if the machine does not send it within 15 s, or its catalogue is not complete.
 */
export async function askForCatalogue(
  peers: PeerRequests,
  machine: string,
  after: string,
  signal: AbortSignal,
): Promise<CataloguePage> {
  const url = `/cluster/recordings${after === '' ? '' : `?after=${after}`}`;
  const answer = await peers.ask(machine, {
    ...{ method: 'GET', url, headers: {}, monitorID: '', caller: machineCaller },
    signal: AbortSignal.any([signal, AbortSignal.timeout(cataloguePatienceMs)]),
  });
  const bytes = await bytesOf(answer);
  const found: unknown = answer.status === 200 ? JSON.parse(bytes.toString()) : undefined;
  if (checkCatalogue(found)) throw new Error(`${machine} does not say what it has`);
  return found as CataloguePage;
}
