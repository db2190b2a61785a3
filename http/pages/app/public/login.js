/** The login page: starts a session, then opens the page that was asked for. */

const form = document.querySelector('form');
const message = document.querySelector('[role="alert"]');

/** The path below which a reverse proxy serves the recorder. */
const basePath = document.querySelector('meta[name="base-path"]')?.getAttribute('content') ?? '';

/** The page that was asked for; never one of another site. */
function next() {
  const wanted = new URLSearchParams(location.search).get('next') ?? '/';
  const isPath = /^\/(?![/\\])/.test(wanted) && new URL(wanted, location.origin).origin === location.origin;
  return basePath + (isPath ? wanted : '/');
}

async function isLoggedIn() {
  return (await fetch(`${basePath}/api/session`)).ok;
}

/** @param {string} text */
function say(text) {
  if (message) message.textContent = text;
}

/** @param {HTMLFormElement} filled */
async function logIn(filled) {
  const { username, password } = Object.fromEntries(new FormData(filled));
  const answer = await fetch(`${basePath}/api/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  // Without logins there is nothing to do here.
  if (!answer.ok && answer.status !== 409) say((await answer.json()).detail);
  else if (await isLoggedIn()) location.replace(next());
  else say('This browser did not keep the login. Open this page with https.');
}

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  say('');
  logIn(form).catch(() => say('The recorder cannot be reached.'));
});

form?.querySelector('input')?.focus();

// A link from another site comes without the cookie, although there may be a session.
if (await isLoggedIn().catch(() => false)) location.replace(next());
