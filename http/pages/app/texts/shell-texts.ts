import type { TextTable } from './say.ts';

/** The frame around all pages, and what several of them say. */
export const shellTexts = {
  live: { en: 'Live', de: 'Live' },
  recordings: { en: 'Recordings', de: 'Aufnahmen' },
  settings: { en: 'Settings', de: 'Einstellungen' },
  logs: { en: 'Logs', de: 'Protokoll' },
  api: { en: 'API', de: 'API' },
  welcome: { en: 'Welcome', de: 'Willkommen' },
  pages: { en: 'Pages', de: 'Seiten' },
  skip: { en: 'Skip to the content', de: 'Zum Inhalt springen' },
  preferences: { en: 'Appearance and language', de: 'Darstellung und Sprache' },
  theme: { en: 'Appearance', de: 'Darstellung' },
  system: { en: 'As the device', de: 'Wie das Gerät' },
  light: { en: 'Light', de: 'Hell' },
  dark: { en: 'Dark', de: 'Dunkel' },
  language: { en: 'Language', de: 'Sprache' },
  account: { en: 'Logged in as {name}', de: 'Angemeldet als {name}' },
  admin: { en: 'Administrator', de: 'Administrator' },
  logOut: { en: 'Log out', de: 'Abmelden' },
  reload: { en: 'Load the page again', de: 'Seite neu laden' },
  notLoaded: { en: 'This page could not be loaded', de: 'Diese Seite konnte nicht geladen werden' },
  loading: { en: 'Loading …', de: 'Wird geladen …' },
  unreachable: {
    en: 'The recorder cannot be reached. Trying again …',
    de: 'Der Rekorder ist nicht erreichbar. Neuer Versuch läuft …',
  },
  loginAgain: {
    en: 'Your login is no longer valid. Log in again.',
    de: 'Die Anmeldung gilt nicht mehr. Bitte neu anmelden.',
  },
  adminsOnly: {
    en: 'Only administrators can see this page. Ask one of them for the right to do so.',
    de: 'Diese Seite sehen nur Administratoren. Fragen Sie einen davon nach diesem Recht.',
  },
} as const satisfies TextTable;
