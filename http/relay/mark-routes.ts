import Type, { type Static } from 'typebox';
import { recordingIDPattern } from '../../bus/recording-id.ts';
import { compileValidator } from '../../store/base/validator.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { type Route, route } from '../request/route.ts';
import { textOf } from './answer-text.ts';
import type { PeerRequests } from './peer-requests.ts';

/** A page of recordings. */
const Marks = Type.Object({
  ids: Type.Array(Type.String({ pattern: recordingIDPattern }), { maxItems: 1000 }),
});
const check = compileValidator(Marks);
const path = '/cluster/protected';
/** A list does not wait longer for a machine that is heard, but does not answer. */
const patienceMs = 1000;

/** What only the other machines may ask: the marks beside the files, which no database has. */
export function markRoutes({
  recordings,
}: {
  readonly recordings: Pick<RecordingArchive, 'protectedOf'>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path,
      access: 'admin',
      tag: 'Recordings',
      summary: 'Which of these recordings are protected',
      body: Marks,
      answers: { 200: { description: 'Their ids', schema: Marks } },
      handle: async ({ body: { ids } }) => ({ body: { ids: [...(await recordings.protectedOf(ids))] } }),
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
      ...{ method: 'POST', url: path, body: { ids }, headers: {}, monitorID: '' },
      caller: { id: '', username: '', isAdmin: true, monitors: undefined },
      signal: AbortSignal.timeout(patienceMs),
    });
    const found: unknown = JSON.parse(await textOf(answer));
    return check(found) ? undefined : new Set((found as Static<typeof Marks>).ids);
  } catch {
    return undefined;
  }
}
