import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { ApiPage } from './api/api-page.tsx';
import { account } from './data/own-account.ts';
import { LivePage } from './live/live-page.tsx';
import { address, go } from './shell/address.ts';
import { LazyPage } from './shell/lazy-page.tsx';
import { MissingPage } from './shell/missing-page.tsx';
import { type PagePath, Shell } from './shell/shell.tsx';
import { language, say } from './texts/say.ts';
import { shellTexts } from './texts/shell-texts.ts';

const loadRecordings = async () => (await import('./recordings/recordings-page.tsx')).RecordingsPage;
const loadLogs = async () => (await import('./logs/logs-page.tsx')).LogsPage;
const loadSettings = async () => (await import('./settings/settings-page.tsx')).SettingsPage;
const loadWelcome = async () => (await import('./welcome/welcome-page.tsx')).WelcomePage;

const pages: Record<PagePath, { readonly title: keyof typeof shellTexts; readonly show: () => VNode }> = {
  '/live': { title: 'live', show: () => <LivePage /> },
  '/recordings': { title: 'recordings', show: () => <LazyPage load={loadRecordings} /> },
  '/settings': { title: 'settings', show: () => <LazyPage load={loadSettings} /> },
  '/logs': { title: 'logs', show: () => <LazyPage load={loadLogs} /> },
  '/api': { title: 'api', show: () => <ApiPage /> },
  '': { title: 'missing', show: () => <MissingPage /> },
  '/welcome': { title: 'welcome', show: () => <LazyPage load={loadWelcome} /> },
};

/** Whether the viewer was led to the first steps: once is enough, until the page is loaded again. */
let isWelcomed = false;

export function App() {
  const { pathname, searchParams } = address.value;
  const path = isPage(pathname) ? pathname : '';
  const { title, show } = pages[path];
  const name = say(shellTexts[title]);
  // Before the first paint: what is seen is in the language that the document says.
  useLayoutEffect(() => {
    document.title = `${name} · Sentrybus`;
    document.documentElement.lang = language.value;
  }, [name, language.value]);
  const hasBeenSeen = useRef(false);
  useEffect(() => {
    // The link that led here is gone; the keyboard goes on at what it has opened.
    if (hasBeenSeen.current && document.activeElement === document.body)
      document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    hasBeenSeen.current = true;
  }, [path, searchParams.get('monitor')]);
  const isNewInstallation = account.value?.isAdmin && account.value.initialPassword;
  useEffect(() => {
    if (path === '/welcome') isWelcomed = true;
    else if (path === '/live' && isNewInstallation && !isWelcomed) go('/welcome', { replace: true });
  }, [path, isNewInstallation]);
  return <Shell current={path}>{show()}</Shell>;
}

function isPage(path: string): path is PagePath {
  return path in pages;
}
