import type { TObject, TSchema } from 'typebox';
import { HttpError } from './http-error.ts';

/** The parts of a schema that say how a parameter is written. Typed by hand: `TSchema` itself is opaque. */
interface Written {
  readonly type?: string;
  readonly items?: { readonly type?: string };
}

/**
 * Reads a query string the way its schema writes it: lists with commas, numbers in decimal. Empty values are as if
 * they were absent, unknown names are ignored. The schema itself is not checked here.
 *
 * @throws {HttpError} `invalid_value`
 */
export function readQuery(schema: TObject, text: string): Record<string, unknown> {
  const properties: Record<string, TSchema> = schema.properties;
  const given = new URLSearchParams(text);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) {
    const [value, ...more] = given.getAll(name);
    if (more.length > 0)
      throw new HttpError('invalid_value', `${name} is given twice.`, { pointer: `/${name}` });
    if (value === undefined || value === '') continue;
    const written = properties[name] as Written;
    if (written.type === 'array') readList(values, properties, name, value);
    else if (written.type === 'integer') values[name] = readInteger(name, value);
    else values[name] = value;
  }
  return values;
}

/**
 * An item `monitors=a` in another list begins that list, as if there had been a `&` instead of the comma: the
 * documented example URL of the log query is written so.
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
      rest.length > 0 && Object.hasOwn(properties, head) ? (properties[head] as Written) : undefined;
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
