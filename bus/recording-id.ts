/**
 * The ids of recordings, which are the names of their files without the ending: `2026-11-23_03-40-12_door`, and
 * `2026-11-23_03-40-12_door_sub` of the sub stream. The id of a monitor holds no `_`.
 *
 * Where several machines are one system, two of them may have recorded a monitor in the same second. People and programs are
 * then given ids that say which machine has the file: `2026-11-23_03-40-12_door@nvr1`.
 */

/** Which of a camera's streams a recording is of. */
export type RecordedStream = 'main' | 'sub';

export interface RecordingName {
  /** The second, in UTC, in which it begins: Unix time in milliseconds. */
  readonly startMs: number;
  readonly monitorID: string;
  readonly stream: RecordedStream;
}

export const recordingIDPattern =
  '^(\\d{4}-\\d\\d-\\d\\d)_(\\d\\d)-(\\d\\d)-(\\d\\d)_([A-Za-z0-9]{1,24})(_sub)?$';
const recordingID = new RegExp(recordingIDPattern);

export function formatRecordingID({ startMs, monitorID, stream }: RecordingName): string {
  const time = new Date(startMs).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  return `${time}_${monitorID}${stream === 'sub' ? '_sub' : ''}`;
}

/** @returns undefined if this is not the id of a recording. */
export function parseRecordingID(id: string): RecordingName | undefined {
  const [, day, hour, minute, second, monitorID, sub] = recordingID.exec(id) ?? [];
  if (monitorID === undefined) return undefined;
  const startMs = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  return { startMs, monitorID, stream: sub === undefined ? 'main' : 'sub' };
}

/** An id with or without a machine, which is a name or an address. */
export const siteRecordingIDPattern = `${recordingIDPattern.slice(0, -1)}(@[A-Za-z0-9._:-]{1,253})?$`;

export const siteRecordingID = (id: string, machine: string): string => `${id}@${machine}`;

/** @returns no machine for an id that names none. */
export function splitSiteID(text: string): { readonly id: string; readonly machine: string | undefined } {
  const at = text.indexOf('@');
  return at < 0 ? { id: text, machine: undefined } : { id: text.slice(0, at), machine: text.slice(at + 1) };
}
