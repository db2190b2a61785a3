import type { TObject, TSchema } from 'typebox';
import { HttpError } from './http-error.ts';

/** Characters of an unknown name that its refusal repeats. */
const maxShownName = 40;

/** The parts of a schema that decide how a parameter is parsed. Typed by hand: `TSchema` itself is opaque. */
interface ParameterSchema {
  readonly type?: string;
  readonly items?: { readonly type?: string };
}

/**
 * Parses a query string by its schema: lists are separated by commas, numbers are decimal. Empty values count as
 * absent. Does not validate the result against the schema.
 *
 * @throws {HttpError} `invalid_value`, also for an unknown name: with `level=` for `levels=` ignored, the answer would
 * look filtered and be all there is.
 */
export function readQuery(schema: TObject, text: string): Record<string, unknown> {
  const properties: Record<string, TSchema> = schema.properties;
  const given = new URLSearchParams(text);
  refuseUnknown(Object.keys(properties), given);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) {
    const [value, ...more] = given.getAll(name);
    if (more.length > 0)
      throw new HttpError('invalid_value', `${name} is given twice.`, { pointer: `/${name}` });
    if (value === undefined || value === '') continue;
    const property = properties[name] as ParameterSchema;
    if (property.type === 'array') readList(values, properties, name, value);
    else if (property.type === 'integer') values[name] = readInteger(name, value);
    else values[name] = value;
  }
  return values;
}

/**
 * @param start Unix time in microseconds, like `end`; absent is without a bound.
 * @throws {HttpError} `invalid_value` for a range that ends before it begins: its answer would be empty without a reason.
 */
export function checkOrder({ start, end }: { readonly start?: number; readonly end?: number }): void {
  if (start === undefined || end === undefined || end >= start) return;
  throw new HttpError('invalid_value', '/end: expected a time after start.', { pointer: '/end' });
}

function refuseUnknown(known: readonly string[], given: URLSearchParams): void {
  for (const name of given.keys()) {
    if (known.includes(name)) continue;
    const names = known.length === 0 ? 'no parameters' : known.join(', ');
    const shown = name.length > maxShownName ? `${name.slice(0, maxShownName)}…` : name;
    throw new HttpError('invalid_value', `${shown}: unknown parameter. Expected ${names}.`, {
      pointer: `/${shown}`,
    });
  }
}

/**
 * An item `monitors=a` inside another list begins the list `monitors`, as if the comma before it were a `&`: the
 * documented example URL of SentryShot's log query is written this way.
 */
function readList(
  values: Record<string, unknown>,
  properties: Record<string, TSchema>,
  name: string,
  text: string,
): void {
  let list = name;
  for (const item of text.split(',')) {
    const [head = '', ...rest] = item.split('=');
    const named =
      rest.length > 0 && Object.hasOwn(properties, head) ? (properties[head] as ParameterSchema) : undefined;
    const begins = named?.type === 'array';
    if (begins) list = head;
    const value = begins ? rest.join('=') : item;
    if (value === '') continue;
    const sofar = values[list];
    values[list] = Array.isArray(sofar) ? [...sofar, value] : [value];
  }
}

function readInteger(name: string, text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw new HttpError('invalid_value', `${name} must be a whole number.`, { pointer: `/${name}` });
}
