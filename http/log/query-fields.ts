import { Type } from 'typebox';
import { logLevels } from '../../bus/messages.ts';
import { MachineList } from '../../store/config/machine-name.ts';
import type { LogFilter } from '../../store/log/log-store.ts';
import { checkOrder } from '../request/query.ts';

/** Query parameters that select log entries. */

const latest = 2 ** 53;
export const timeField = (description: string) =>
  Type.Optional(
    Type.Integer({ minimum: 0, maximum: latest, description: `${description}, a Unix time in microseconds` }),
  );
export const list = (item: string, description: string) =>
  Type.Optional(Type.Array(Type.String({ pattern: item, description }), { maxItems: 1000, description }));

/** Filters by level, source, monitor and machine. */
export const filterFields = {
  levels: Type.Optional(
    Type.Array(Type.Enum(logLevels, { description: `some of ${logLevels.join(', ')}` }), {
      maxItems: 1000,
      description: 'a set of levels; none means all',
    }),
  ),
  sources: list(
    '^[A-Za-z0-9]{1,24}$',
    'a list of sources, of 1 to 24 letters and digits each; none means all',
  ),
  monitors: list(
    '^[A-Za-z0-9]{1,24}$',
    'a list of monitor ids, of 1 to 24 letters and digits each; none means all',
  ),
  machines: MachineList,
};

/** Filter by a text in the message. */
export const textField = Type.Optional(
  Type.String({ maxLength: 200, description: 'a text of at most 200 characters that the message contains' }),
);

/** All filters, with a time range from `start` (included) to `end` (not included). */
export const rangeFields = {
  ...filterFields,
  text: textField,
  start: timeField('only entries from here on'),
  end: timeField('only entries older than this'),
};

type Range = Pick<LogFilter, 'levels' | 'sources' | 'monitors' | 'machines' | 'text'> & {
  start?: number;
  end?: number;
};

/** @throws {HttpError} `invalid_value` for a range that ends before it begins. */
export function rangeFilter(range: Range): LogFilter {
  checkOrder(range);
  const { start, end, ...rest } = range;
  return {
    ...rest,
    ...(start !== undefined && { after: start - 1 }),
    ...(end !== undefined && { time: end }),
  };
}
