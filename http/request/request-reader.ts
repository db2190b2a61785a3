import Type, { type TSchema } from 'typebox';
import { compileValidator } from '../../store/base/validator.ts';
import { HttpError } from './http-error.ts';
import { readQuery } from './query.ts';
import type { Route, RouteCall } from './route.ts';

/** The API's routes without parameters name one that is sent all the same; a page's address may carry anything. */
const noParameters = Type.Object({});

type Parts = Pick<RouteCall, 'params' | 'query' | 'body'>;

/**
 * @returns a function that parses the path parameters, query and body of a request into the shapes of the route's
 * schemas. It throws {@link HttpError} `invalid_value` for the first part that does not match.
 */
export function requestReader(row: Route): (params: unknown, search: string, body: unknown) => Parts {
  const checkParams = checker(row.params, 'the path');
  const query = row.query ?? (row.path.startsWith('/api/') ? noParameters : undefined);
  const checkQuery = checker(query, 'the query');
  const checkBody = checker(row.body, 'the body');
  return (params, search, body) => ({
    params: checkParams(params),
    query: checkQuery(query && readQuery(query, search)),
    body: checkBody(body),
  });
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
