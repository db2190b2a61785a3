/** The API page: Swagger UI over our own document, and a panel for the WebSocket that it cannot try. */

const status = document.querySelector('#status');

function tell(element, state, text) {
  element.dataset.state = state;
  element.textContent = text;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const followScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followScheme);
followScheme();

const methodsWithToken = new Set(['POST', 'PUT', 'DELETE']);

/** Fetched for every request: the token changes whenever the account does. */
async function withToken(request) {
  if (methodsWithToken.has(request.method?.toUpperCase())) {
    const answer = await fetch('/api/account/my-token');
    if (!answer.ok) throw new Error(`No token: ${(await answer.json()).detail}`);
    request.headers['X-CSRF-TOKEN'] = await answer.text();
  }
  return request;
}

async function showEndpoints() {
  const answer = await fetch('/api/openapi.json');
  const api = await answer.json();
  if (!answer.ok) throw new Error(api.detail);
  const count = Object.values(api.paths).flatMap(Object.keys).length;
  window.SwaggerUIBundle({
    spec: api,
    domNode: document.querySelector('#endpoints'),
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: withToken,
    onComplete: () =>
      tell(status, 'ready', `${count} endpoints. You are logged in, and tokens are filled in.`),
  });
}

try {
  await showEndpoints();
} catch (error) {
  tell(status, 'failed', `The API could not be loaded: ${error.message}. Reload the page to try again.`);
}

const feed = document.querySelector('#feed');
const feedStatus = document.querySelector('#feed-status');
const output = document.querySelector('#feed-output');
const button = feed.querySelector('button');
const shownFrames = 200;
let socket;

feed.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket) socket.close();
  else connect(new FormData(feed).get('path'));
});

function connect(path) {
  tell(feedStatus, 'busy', 'Connecting…');
  const target = new URL(path, location.href);
  if (target.host !== location.host) {
    tell(feedStatus, 'failed', 'Only a path of this recorder, such as /api/logs.');
    return;
  }
  target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  output.textContent = '';
  socket = new WebSocket(target);
  button.textContent = 'Disconnect';
  socket.addEventListener('open', () => tell(feedStatus, 'ready', 'Connected. Frames appear as they come.'));
  socket.addEventListener('message', ({ data }) => {
    output.append(document.createTextNode(`${data}\n`));
    while (output.childNodes.length > shownFrames) output.firstChild.remove();
    output.scrollTop = output.scrollHeight;
  });
  socket.addEventListener('close', ({ code, reason }) => {
    socket = undefined;
    button.textContent = 'Connect';
    const expected = code === 1000 || code === 1005;
    const why = reason || (code === 1006 ? 'refused, or the connection was lost' : 'no reason given');
    tell(feedStatus, expected ? 'idle' : 'failed', expected ? 'Not connected.' : `Closed: ${why} (${code}).`);
  });
}
