import type { ComponentChildren } from 'preact';
import { account } from '../data/own-account.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import icon from './icon.svg';
import { Icon } from './icons.tsx';
import { Preferences } from './preferences.tsx';

const links = [
  { path: '/live', name: 'live', forAdmins: false },
  { path: '/recordings', name: 'recordings', forAdmins: false },
  { path: '/settings', name: 'settings', forAdmins: true },
  { path: '/logs', name: 'logs', forAdmins: true },
  { path: '/api', name: 'api', forAdmins: false },
] as const;

/** Beside the pages with a link: the first one that a new installation shows, and the one in place of a page that does not exist. */
export type PagePath = (typeof links)[number]['path'] | '/welcome' | '';

interface ShellProps {
  readonly current: PagePath;
  readonly children: ComponentChildren;
}

/** What all pages have around them: on top, on a phone at the bottom as well, where thumbs are. */
export function Shell({ current, children }: ShellProps) {
  const isAdmin = account.value?.isAdmin ?? false;
  return (
    <>
      <a class="skip" href="#content">
        {say(shellTexts.skip)}
      </a>
      <header class="bar">
        <a class="brand" href="/live" data-page>
          <img src={icon} alt="" width="28" height="28" />
          <span>Sentrybus</span>
        </a>
        <nav aria-label={say(shellTexts.pages)}>
          {links
            .filter(({ forAdmins }) => isAdmin || !forAdmins)
            .map(({ path, name }) => (
              <a key={path} href={path} data-page aria-current={path === current ? 'page' : undefined}>
                <Icon name={name} />
                {say(shellTexts[name])}
              </a>
            ))}
        </nav>
        <Preferences />
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
