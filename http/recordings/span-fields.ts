import { Type } from 'typebox';
import { siteRecordingIDPattern } from '../../bus/recording-id.ts';
import { MonitorID } from '../../store/monitors/monitor-config.ts';
import { HttpError } from '../request/http-error.ts';

/** Query parameters about footage. Times are Unix times in microseconds. */

const latest = 2 ** 53;
export const timeSchema = (description: string) =>
  Type.Integer({ minimum: 0, maximum: latest, description: `${description}, a Unix time in microseconds` });
export const optionalTime = (description: string) => Type.Optional(timeSchema(description));

export const monitorsField = Type.Optional(
  Type.Array(MonitorID, {
    maxItems: 1000,
    description: 'a list of monitor ids, of 1 to 24 letters and digits each; none means all',
  }),
);

export const streamField = Type.Optional(
  Type.Enum(['main', 'sub'], { default: 'main', description: 'the stream: main or sub; main if left out' }),
);

export const RecordingID = Type.String({
  pattern: siteRecordingIDPattern,
  description:
    'the id of a recording, such as 2026-11-23_03-40-12_door; where several machines are one system, with the one that has it: 2026-11-23_03-40-12_door@nvr1',
  'x-names': 'recording',
});

/** A span of time. */
export const spanFields = {
  start: timeSchema('the beginning'),
  end: timeSchema('the end, not included'),
};

/** @throws {HttpError} `invalid_value` if a span is empty or too long. */
export function checkSpan(startUs: number, endUs: number, maxHours: number): void {
  const refuse = (detail: string) => new HttpError('invalid_value', detail, { pointer: '/end' });
  if (endUs <= startUs) throw refuse('/end: expected a time after start.');
  if (endUs - startUs > maxHours * 3600 * 1e6) throw refuse(`/end: expected at most ${maxHours} hours.`);
}
