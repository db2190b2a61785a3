import type { Readable } from 'node:stream';
import type { Static, TObject, TSchema } from 'typebox';
import type { ClipFootage } from '../../store/recordings/clip/clip-footage.ts';
import type { Access, Caller } from './caller.ts';
import type { ErrorCode } from './http-error.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Requests with these methods must carry the account's CSRF token. */
export const tokenMethods: readonly Method[] = ['POST', 'PUT', 'DELETE'];

export type Tag = 'Account' | 'Monitor' | 'Live' | 'Events' | 'Recordings' | 'Logs' | 'System' | 'Pages';

/** A successful response, for the documents and their tests. */
export interface Success {
  readonly description: string;
  readonly type?: string;
  /** Instead of `type`, if the request chooses among several. */
  readonly types?: readonly string[];
  readonly schema?: TSchema;
  readonly example?: unknown;
}

/** A request that the gate admitted and whose parts match the route's schemas. */
export interface RouteCall<Params = unknown, Query = unknown, Body = unknown> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** IP address of the client, or of the proxy before us; undefined once the connection is closed. */
  readonly address: string | undefined;
  /** Aborted if the client disconnects before the response is complete. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  /** 200 if absent. */
  readonly status?: number;
  /** If absent, `text/plain` for text and bytes, `application/json` for any other body. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it is produced and destroyed if the client disconnects; any other object becomes JSON. */
  readonly body?: string | Buffer | Readable | object;
}

interface RouteText {
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
}

/** One row of the table of routes, from which registration, the gate, the documents and the tests work. */
export interface Route extends RouteText {
  readonly method: Method;
  /** Parameters have the form `:id`. */
  readonly path: string;
  readonly access: Access;
  /** A public row that says more to a caller whose login is right; any other one is a guest to it, and is not refused. */
  readonly recognises?: true;
  /**
   * How a row for users keeps to the monitors that its caller may see, if these are not all. `none`: it says nothing of monitors.
   * `request`: the ids in its request say which monitors; those of others become ids of nothing before `handle` and `connect`.
   * `answer`: its handler leaves out what `caller.maySee` does not allow. Without it such callers get 404.
   */
  readonly limit?: 'none' | 'request' | 'answer';
  /**
   * Whose answer it is where several machines are one system; any machine's if absent. By `id` in the request: `monitor`: that
   * of the machine which records the monitor; `recording`, `event`: of the one that has it; `clip`: of the one that has the
   * footage of the span, or by `across`; `playlist`: of all that have a part of it, one after the other. `camera`: of one that reaches
   * the camera, by `machines` in the body or of the monitor.
   */
  readonly relay?: 'monitor' | 'recording' | 'event' | 'clip' | 'playlist' | 'camera';
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  /** Schema for the documents, if `body` leaves the validation to the store. */
  readonly documentedBody?: TSchema;
  readonly bodyExample?: unknown;
  readonly answers: Readonly<Record<number, Success>>;
  /** Errors besides those of the gate and of parsing the request. */
  readonly failures?: readonly ErrorCode[];
  /** Refuses a request that no machine would answer, by throwing an `HttpError`. */
  check?(call: RouteCall): void;
  handle(call: RouteCall): RouteAnswer | Promise<RouteAnswer>;
  /** Of a `clip`: the answer if several machines have a part of it. @param find where their parts are. */
  across?(call: RouteCall, find: () => Promise<ClipFootage>): Promise<RouteAnswer>;
  /** For a WebSocket: its messages by name, for the documents; the schema of a JSON text, or what the bytes are. */
  readonly messages?: Readonly<Record<string, TSchema | string>>;
  /** For a WebSocket: refuses the handshake by throwing an `HttpError`. */
  beforeConnect?(call: Omit<RouteCall, 'signal'>): void;
  /** Set for a WebSocket: takes over the connection after its handshake. */
  connect?(connection: WebSocketConnection, call: Omit<RouteCall, 'signal'>): void;
}

type Shape<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

interface TypedRoute<Params, Query, Body>
  extends Omit<
    Route,
    'params' | 'query' | 'body' | 'check' | 'handle' | 'across' | 'beforeConnect' | 'connect'
  > {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  check?(call: RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>): void;
  handle(call: RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>): RouteAnswer | Promise<RouteAnswer>;
  across?(
    call: RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>,
    find: () => Promise<ClipFootage>,
  ): Promise<RouteAnswer>;
  beforeConnect?(call: Omit<RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>, 'signal'>): void;
  connect?(
    connection: WebSocketConnection,
    call: Omit<RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>, 'signal'>,
  ): void;
}

/** Makes a row whose handler is typed by the row's schemas. */
export function route<
  Params extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(row: TypedRoute<Params, Query, Body>): Route {
  return row as unknown as Route;
}

/** @returns a function that finds the rows of a path, one for each method. */
export function pathMatcher(table: readonly Route[]): (path: string) => Route[] {
  const rows = table.map((row) => {
    const pattern = row.path.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+');
    return { row, pattern: new RegExp(`^${pattern}$`) };
  });
  return (path) => rows.filter(({ pattern }) => pattern.test(path)).map(({ row }) => row);
}

/** @returns the parameters of a path that matches this row, by name */
export function pathParams({ path }: Pick<Route, 'path'>, requested: string): Record<string, string> {
  const given = requested.split('/');
  const names = path.split('/').map((part) => (part.startsWith(':') ? part.slice(1) : undefined));
  return Object.fromEntries(
    names.flatMap((name, index) => (name === undefined ? [] : [[name, given[index] ?? '']])),
  );
}

/**
 * The access that a path requires, given its rows: for a wrong method the strictest of the path's own methods, so that
 * the answer reveals nothing; for an unknown path an account.
 */
export function accessOf(rows: readonly Route[]): Access {
  if (rows.some(({ access }) => access === 'admin')) return 'admin';
  return rows.length > 0 && rows.every(({ access }) => access === 'public') ? 'public' : 'user';
}
