import { type TObject, type TSchema, Type } from 'typebox';
import { parseRecordingID, splitSiteID } from '../../bus/recording-id.ts';
import { compileValidator } from '../../store/base/validator.ts';
import type { Caller } from './caller.ts';
import { HttpError } from './http-error.ts';
import { readQuery } from './query.ts';
import type { Route, RouteCall } from './route.ts';

/** The API's routes without parameters name one that is sent all the same; a page's address may carry anything. */
const noParameters = Type.Object({});

type Parts = Pick<RouteCall, 'params' | 'query' | 'body'>;

/**
 * @returns a function that parses the path parameters, query and body of a request into the shapes of the route's
 * schemas. It throws {@link HttpError} `invalid_value` for the first part that does not match.
 *
 * For a caller that may see some monitors only, each id of another monitor, or of its recording, becomes the empty text, which
 * is the id of nothing; a list of monitors keeps those that the caller may see, and one that is absent becomes all of these.
 *
 * @param machine this one's name, where several are one system: ids of its recordings lose it.
 */
export function requestReader(
  row: Route,
  machine?: string,
): (params: unknown, search: string, body: unknown, caller: Caller) => Parts {
  const checkParams = checker(row.params, 'the path');
  const query = row.query ?? (row.path.startsWith('/api/') ? noParameters : undefined);
  const checkQuery = checker(query, 'the query');
  const checkBody = checker(row.body, 'the body');
  return (params, search, body, caller) => {
    // A route that does not say how it keeps to the limit is not there for callers that have one.
    if (caller.monitors && row.access !== 'public' && row.limit === undefined)
      throw new HttpError('not_found', 'There is nothing here.');
    return {
      params: narrow(row.params, local(row.params, checkParams(params), machine), caller),
      query: narrow(
        row.query,
        local(row.query, checkQuery(query && readQuery(query, search)), machine),
        caller,
      ),
      body: checkBody(body),
    };
  };
}

/** The id of no monitor and of no recording. */
const nothing = '';

function narrow(schema: TObject | undefined, parts: unknown, caller: Caller): unknown {
  if (!schema || !caller.monitors) return parts;
  const given = parts as Readonly<Record<string, unknown>>;
  const seen = namedFields(schema).map(({ field, names, isList }): [string, unknown] => {
    const value = given[field];
    if (isList) {
      const wanted = (value ?? caller.monitors) as readonly string[];
      const left = wanted.filter((id) => caller.maySee(id));
      // An empty list would mean all.
      return [field, left.length > 0 ? left : [nothing]];
    }
    const id = typeof value === 'string' ? value : nothing;
    const monitorID = names === 'monitor' ? id : parseRecordingID(splitSiteID(id).id)?.monitorID;
    return [field, monitorID !== undefined && caller.maySee(monitorID) ? id : nothing];
  });
  return { ...given, ...Object.fromEntries(seen) };
}

function local(schema: TObject | undefined, parts: unknown, machine: string | undefined): unknown {
  if (!schema || machine === undefined) return parts;
  const given = parts as Readonly<Record<string, unknown>>;
  const own = namedFields(schema).flatMap(({ field, names }): [string, unknown][] => {
    const named = names === 'recording' ? splitSiteID(String(given[field])) : undefined;
    return named?.machine === machine ? [[field, named.id]] : [];
  });
  return { ...given, ...Object.fromEntries(own) };
}

interface NamedField {
  readonly field: string;
  /** What its ids are of. */
  readonly names: 'monitor' | 'recording';
  readonly isList: boolean;
}

/** The fields of a request that name monitors or recordings: their schemas say so in `x-names`. */
export function namedFields(schema: TObject | undefined): NamedField[] {
  return Object.entries<NamingSchema>(schema?.properties ?? {}).flatMap(([field, property]) => {
    const names = property['x-names'] ?? property.items?.['x-names'];
    return names ? [{ field, names, isList: property.items !== undefined }] : [];
  });
}

interface NamingSchema {
  readonly 'x-names'?: NamedField['names'];
  readonly items?: NamingSchema;
}

function checker(schema: TSchema | undefined, whole: string): (value: unknown) => unknown {
  if (!schema) return () => undefined;
  const check = compileValidator(schema);
  return (value) => {
    const flaw = check(value);
    if (!flaw) return value;
    const where = flaw.pointer === '' ? whole : flaw.pointer;
    const detail = flaw.unknown ? `${where}: unknown name.` : `${where}: expected ${flaw.expected}.`;
    throw new HttpError('invalid_value', detail, { pointer: flaw.pointer });
  };
}
