import styleAddress from 'swagger-ui-dist/swagger-ui.css?url';
import scriptAddress from 'swagger-ui-dist/swagger-ui-bundle.js?url';
import { getJson, getText } from '../data/request.ts';

interface SwaggerRequest {
  readonly method?: string;
  readonly headers: Record<string, string>;
}

declare global {
  interface Window {
    SwaggerUIBundle?(options: Readonly<Record<string, unknown>>): void;
  }
}

interface ApiDocument {
  readonly paths: Readonly<Record<string, object>>;
}

/**
 * Shows the API in an element.
 *
 * @returns the number of endpoints, when they can be seen.
 * @throws {RequestFailure} and others: their messages are sentences.
 */
export async function showSwagger(place: HTMLElement): Promise<number> {
  const [api] = await Promise.all([getJson<ApiDocument>('/api/openapi.json'), load()]);
  await new Promise<void>((onComplete) => {
    window.SwaggerUIBundle?.({
      spec: api,
      domNode: place,
      deepLinking: true,
      docExpansion: 'list',
      defaultModelsExpandDepth: -1,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      requestInterceptor: withToken,
      onComplete,
    });
  });
  return Object.values(api.paths).flatMap((methods) => Object.keys(methods)).length;
}

let loading: Promise<unknown> | undefined;

/** Swagger UI is twenty times as large as all of the pages, so it is loaded where it is shown only. */
function load(): Promise<unknown> {
  if (!loading) {
    const style = document.createElement('link');
    style.rel = 'stylesheet';
    style.href = styleAddress;
    const script = document.createElement('script');
    script.src = scriptAddress;
    loading = Promise.all([loaded(style), loaded(script)]);
  }
  return loading;
}

function loaded(element: HTMLElement): Promise<void> {
  return new Promise((resolve, reject) => {
    element.onload = () => resolve();
    element.onerror = () => reject(new Error('Swagger UI cannot be loaded.'));
    // Before our own style sheets, which change some of it.
    document.head.prepend(element);
  });
}

/** Fetches the token anew for every request that changes something, because it changes whenever the account does. */
async function withToken(request: SwaggerRequest): Promise<SwaggerRequest> {
  if (!['GET', 'HEAD'].includes(request.method?.toUpperCase() ?? 'GET')) {
    request.headers['X-CSRF-TOKEN'] = await getText('/api/account/my-token');
  }
  return request;
}
