import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Log } from '../bus/log.ts';
import type { Gate } from './gate/gate.ts';
import { opensPage } from './gate/login-answer.ts';
import type { OpenAnswers } from './open-answers.ts';
import type { Relay } from './relay/relay.ts';
import { bodyLimit, publicBodyLimit, readBody } from './request/body.ts';
import type { Caller } from './request/caller.ts';
import { describeCause, toHttpError } from './request/failure.ts';
import { HttpError, problemType, Redirect } from './request/http-error.ts';
import { requestReader } from './request/request-reader.ts';
import { accessOf, pathMatcher, type Route, type RouteAnswer } from './request/route.ts';
import type { BasePath } from './transport/base-path.ts';
import { answerRequests } from './transport/listener.ts';
import type { TrustedProxies } from './transport/trusted-proxies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The row of the table; undefined if no route matches. */
    row?: Route;
  }
  interface FastifyRequest {
    caller: Caller | undefined;
    /** The `Content-Type` header. */
    bodyType: string | undefined;
  }
}

export interface AppOptions {
  readonly table: readonly Route[];
  readonly gate: Pick<Gate, 'admit' | 'recognise'>;
  /** Its document is what people get, with 404, who open a page that does not exist; it says so. */
  readonly missing?: Route | undefined;
  /** Only where several machines are one system. */
  readonly relay?: Relay | undefined;
  /** This machine's name, where several are one system. */
  readonly machine?: string | undefined;
  readonly proxies: TrustedProxies;
  readonly basePath: BasePath;
  /** Gets every body that is a stream. */
  readonly openAnswers: OpenAnswers;
  /** Added to every response. */
  readonly headers: Readonly<Record<string, string>>;
  readonly server: Server;
  readonly log: Log;
}

/** Requests are read with the schemas of the table. To load what compiles Fastify's own takes a tenth of a start. */
const noCompiler = () => () => {
  throw new Error('routes have no schema of Fastify');
};

/**
 * Answers HTTP requests from the table of routes. The gate admits a request before its query or body is read.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const { table, gate, missing, relay, machine, proxies, basePath, openAnswers, headers, server, log } =
    options;
  const app = Fastify({
    serverFactory: (handler) => answerRequests(server, handler),
    bodyLimit,
    return503OnClosing: false,
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // `query.ts` parses the query string with the route's schema.
    routerOptions: { maxParamLength: 256, querystringParser: () => ({}) },
    frameworkErrors(error, request, reply) {
      reply.headers(headers);
      gate.admit(request.raw, 'user').then(
        () => fail(error, reply),
        (refusal: unknown) => fail(refusal, reply),
      );
    },
  });

  const match = pathMatcher(table);
  app.decorateRequest('caller', undefined);
  app.decorateRequest('bodyType', undefined);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    // Routes without a body schema ignore a request's body.
    async ({ bodyType, routeOptions }: FastifyRequest, body: Buffer) =>
      routeOptions.config.row?.body ? readBody(bodyType, body) : undefined,
  );

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    const row = request.is404 ? undefined : request.routeOptions.config.row;
    const path = request.raw.url?.split('?', 1)[0] ?? '';
    const candidates = row ? [row] : match(path);
    request.caller = await gate.admit(request.raw, accessOf(candidates));
    const isNoPage = candidates.length === 0 && !path.startsWith('/api/') && opensPage(request.raw);
    if (isNoPage && missing) {
      const { caller, headers } = request;
      const nothing = { params: {}, query: {}, body: undefined, address: undefined };
      const page = await missing.handle({ ...nothing, caller, headers, signal: goneSignal(reply) });
      return send({ ...page, status: 404 }, reply);
    }
    if (!row) throw absent(candidates);
    if (row.recognises) request.caller = await gate.recognise(request.raw);
    // Hidden from Fastify, which rejects unknown content types even if there is no body.
    request.bodyType = request.raw.headers['content-type'];
    delete request.raw.headers['content-type'];
  });

  for (const row of table) {
    const read = requestReader(row, machine);
    app.route({
      method: row.method,
      url: row.path,
      bodyLimit: row.access === 'public' ? publicBodyLimit : bodyLimit,
      config: { row },
      async handler(request, reply) {
        const { caller, params, body, raw } = request;
        // Unreachable: the hook above sets the caller or throws. Fails closed all the same.
        if (!caller) throw new Error('the request did not pass the gate');
        if (row.connect) throw upgradeRequired();
        const parts = read(params, raw.url?.split('?', 2)[1] ?? '', body, caller);
        const headers = request.method === 'HEAD' ? withoutRange(request.headers) : request.headers;
        const signal = goneSignal(reply);
        const address = proxies.addressOf(raw);
        const call = { ...parts, caller, headers, address, signal };
        row.check?.(call);
        const answer = relay ? await relay.answer(row, call, raw.url ?? '') : await row.handle(call);
        if (answer.body instanceof Readable && row.access !== 'public') openAnswers.add(answer.body, caller);
        return send(request.method === 'HEAD' ? withoutStream(answer) : answer, reply);
      },
    });
  }

  app.setNotFoundHandler(() => {
    throw absent([]);
  });
  app.setErrorHandler((error, _request, reply) => fail(error, reply));
  return app;

  function fail(error: unknown, reply: FastifyReply): void {
    if (error instanceof Redirect) {
      void reply.code(302).header('Location', basePath.locate(error.location)).send();
      return;
    }
    const failure = toHttpError(error);
    const { method, url } = reply.request.routeOptions;
    if (failure.status === 500) log.error(`${method} ${url ?? ''}: ${describeCause(error)}`);
    // Otherwise Node.js would read the body of a refused request to its end to keep the connection.
    if (hasLargeBody(reply.request.raw)) reply.header('Connection', 'close');
    void reply
      .code(failure.status)
      .headers(failure.headers)
      .header('Content-Type', problemType)
      .send(Buffer.from(JSON.stringify(failure.toJSON())));
  }
}

/** Bodies up to the limit are read and dropped instead: a client that is still sending might not see its answer. */
function hasLargeBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > bodyLimit);
}

function send(answer: RouteAnswer, reply: FastifyReply): FastifyReply {
  const { status = 200, type, headers = {}, body } = answer;
  reply.code(status).headers(headers);
  if (body === undefined) return reply.send();
  if (typeof body === 'string' || Buffer.isBuffer(body) || body instanceof Readable) {
    return reply.type(type ?? 'text/plain; charset=utf-8').send(body);
  }
  return reply.type(type ?? 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Fastify would read a stream to its end to answer HEAD. The stream's headers stay. */
function withoutStream(answer: RouteAnswer): RouteAnswer {
  if (!(answer.body instanceof Readable)) return answer;
  answer.body.destroy();
  return { ...answer, body: Readable.from([]) };
}

/** A range of GET alone means something. [RFC 9110 14.2] */
function withoutRange({ range: _, 'if-range': __, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers;
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const aborter = new AbortController();
  // A response that ends normally also emits `close`; by then nothing listens to the signal.
  reply.raw.once('close', () => aborter.abort());
  return aborter.signal;
}

function absent(candidates: readonly Route[]): HttpError {
  if (candidates.length === 0) return new HttpError('not_found', 'There is nothing here.');
  const methods = candidates.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const Allow = methods.join(', ');
  return new HttpError('method_not_allowed', `Use ${Allow} here.`, { headers: { Allow } });
}

function upgradeRequired(): HttpError {
  const headers = { Upgrade: 'websocket', Connection: 'Upgrade' };
  return new HttpError('upgrade_required', 'This is a WebSocket; connect to it with wss.', { headers });
}
