import { type Agent, request } from 'node:https';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Breaks the connection off. */
  readonly signal?: AbortSignal;
}

/** As `fetch`, through an agent that decides about certificates: the built-in one takes none that is self-signed. */
export function fetchThrough(agent: Agent, url: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', headers = {}, body, signal } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent, ...(signal && { signal }) }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const answered = new Headers();
        for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
          answered.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '');
        }
        const status = incoming.statusCode ?? 0;
        // These have no body, and `Response` insists on it.
        const data = [101, 204, 304].includes(status) ? null : Buffer.concat(chunks);
        resolve(new Response(data, { status, headers: answered }));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
