import type { Readable } from 'node:stream';
import type { Static, TObject, TSchema } from 'typebox';
import type { Access, Caller } from './caller.ts';
import type { ErrorCode } from './http-error.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Requests with these methods must carry the account's CSRF token. */
export const tokenMethods: readonly Method[] = ['POST', 'PUT', 'DELETE'];

export type Tag = 'Account' | 'Monitor' | 'Events' | 'Logs' | 'System' | 'Pages';

/** What can be answered when all went well, for the documents and their tests. */
export interface Success {
  readonly description: string;
  readonly type?: string;
  /** In place of `type`, where the request decides. */
  readonly types?: readonly string[];
  readonly schema?: TSchema;
  readonly example?: unknown;
}

/** A request that has passed the gate and whose parts have their schemas' shapes. */
export interface RouteCall<Params = unknown, Query = unknown, Body = unknown> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the client goes before it has its answer. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  /** 200 when left out. */
  readonly status?: number;
  /** `application/json` when left out and there is a body that is not text. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it comes, and destroyed when the client goes; any other object becomes JSON. */
  readonly body?: string | Buffer | Readable | object;
}

interface RouteText {
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
}

/** One row of the table that registration, the gate, the documents and the tests read. */
export interface Route extends RouteText {
  readonly method: Method;
  /** Parameters are written `:id`. */
  readonly path: string;
  readonly access: Access;
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  /** What the documents say where `body` leaves the checking to the store. */
  readonly documentedBody?: TSchema;
  readonly bodyExample?: unknown;
  readonly answers: Readonly<Record<number, Success>>;
  /** Failures besides those that the gate and the reading of the request have. */
  readonly failures?: readonly ErrorCode[];
  handle(call: RouteCall): RouteAnswer | Promise<RouteAnswer>;
  /** Set for a WebSocket: takes over a socket whose handshake is done. */
  connect?(connection: WebSocketConnection, call: Omit<RouteCall, 'signal'>): void;
}

type Shape<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

interface TypedRoute<Params, Query, Body>
  extends Omit<Route, 'params' | 'query' | 'body' | 'handle' | 'connect'> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  handle(call: RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>): RouteAnswer | Promise<RouteAnswer>;
  connect?(
    connection: WebSocketConnection,
    call: Omit<RouteCall<Shape<Params>, Shape<Query>, Shape<Body>>, 'signal'>,
  ): void;
}

/** Writes a row whose handler knows the shapes that its schemas give. */
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

/**
 * The login that a path asks for, given its rows: a wrong method asks for the most that the path's own methods ask
 * for, so it reveals nothing; an unknown path asks for an account.
 */
export function accessOf(rows: readonly Route[]): Access {
  if (rows.some(({ access }) => access === 'admin')) return 'admin';
  return rows.length > 0 && rows.every(({ access }) => access === 'public') ? 'public' : 'user';
}
