/** The API page: Swagger UI for our OpenAPI document, and a panel for the WebSocket, which Swagger UI cannot open. */

/** @type {<T extends Element>(selector: string, kind: new () => T) => T} */
function find(selector, kind) {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${selector}`);
}

/** @param {HTMLElement} element @param {'busy' | 'idle' | 'ready' | 'failed'} state @param {string} text */
function setStatus(element, state, text) {
  element.dataset['state'] = state;
  element.textContent = text;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

/**
 * Fetches the token anew for every request that changes something, because it changes whenever the account does.
 *
 * @param {{ method?: string, headers: Record<string, string> }} request
 */
async function withToken(request) {
  if (!['GET', 'HEAD'].includes(request.method?.toUpperCase() ?? 'GET')) {
    const answer = await fetch('/api/account/my-token');
    if (!answer.ok) throw new Error((await answer.json()).detail);
    request.headers['X-CSRF-TOKEN'] = await answer.text();
  }
  return request;
}

const status = find('#status', HTMLElement);

async function showEndpoints() {
  const answer = await fetch('/api/openapi.json');
  const api = await answer.json();
  if (!answer.ok) throw new Error(api.detail);
  const count = Object.values(api.paths).flatMap(Object.keys).length;
  const ready = `${count} endpoints. You are logged in, and CSRF tokens are filled in.`;
  /** @type {any} */ (window).SwaggerUIBundle({
    spec: api,
    domNode: find('#endpoints', HTMLElement),
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: withToken,
    onComplete: () => setStatus(status, 'ready', ready),
  });
}

showEndpoints().catch((error) =>
  setStatus(status, 'failed', `The API could not be loaded: ${error.message} Reload the page to try again.`),
);

const feed = find('#feed', HTMLFormElement);
const feedStatus = find('#feed-status', HTMLElement);
const output = find('#feed-output', HTMLElement);
const path = find('#feed-path', HTMLInputElement);
const button = find('#feed button', HTMLElement);
const shownFrames = 200;
/** @type {WebSocket | undefined} */
let socket;

feed.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket) socket.close();
  else connect();
});

function connect() {
  const target = new URL(path.value, location.href);
  if (target.host !== location.host) {
    setStatus(feedStatus, 'failed', 'Enter a path of this recorder, such as /api/logs.');
    return;
  }
  target.protocol = location.protocol.replace('http', 'ws');
  setStatus(feedStatus, 'busy', 'Connecting…');
  output.textContent = '';
  button.textContent = 'Disconnect';
  socket = new WebSocket(target);
  socket.addEventListener('open', () =>
    setStatus(feedStatus, 'ready', 'Connected. Frames appear as they arrive.'),
  );
  socket.addEventListener('message', ({ data }) => {
    output.append(document.createTextNode(`${data}\n`));
    while (output.childNodes.length > shownFrames) output.firstChild?.remove();
    output.scrollTop = output.scrollHeight;
  });
  socket.addEventListener('close', ({ code, reason }) => {
    socket = undefined;
    button.textContent = 'Connect';
    const asked = code === 1000 || code === 1005;
    const why = reason || (code === 1006 ? 'refused, or the connection was lost' : 'no reason given');
    setStatus(feedStatus, asked ? 'idle' : 'failed', asked ? 'Not connected.' : `Closed: ${why} (${code}).`);
  });
}
