import type { TextTable } from './say.ts';

/** The frame around all pages, and what several of them say. */
export const shellTexts = {
  live: { en: 'Live', de: 'Live' },
  recordings: { en: 'Recordings', de: 'Aufnahmen' },
  settings: { en: 'Settings', de: 'Einstellungen' },
  logs: { en: 'Logs', de: 'Protokoll' },
  api: { en: 'API', de: 'API' },
  welcome: { en: 'Welcome', de: 'Willkommen' },
  missing: { en: 'There is no such page', de: 'Diese Seite gibt es nicht' },
  missingAddress: {
    en: 'Perhaps the address was mistyped, or the link is an old one.',
    de: 'Vielleicht ist die Adresse vertippt, oder der Link ist alt.',
  },
  toLive: { en: 'To the live view', de: 'Zur Live-Ansicht' },
  pages: { en: 'Pages', de: 'Seiten' },
  skip: { en: 'Skip to the content', de: 'Zum Inhalt springen' },
  preferences: { en: 'Appearance and language', de: 'Darstellung und Sprache' },
  theme: { en: 'Appearance', de: 'Darstellung' },
  system: { en: 'As the device', de: 'Wie das Gerät' },
  light: { en: 'Light', de: 'Hell' },
  dark: { en: 'Dark', de: 'Dunkel' },
  language: { en: 'Language', de: 'Sprache' },
  timeZone: { en: 'Time zone', de: 'Zeitzone' },
  ownZone: { en: 'As the device', de: 'Wie das Gerät' },
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

/** The page that shows the API. */
export const apiTexts = {
  loading: { en: 'Loading the API…', de: 'Die API wird geladen …' },
  ready: {
    en: '{count} endpoints. You are logged in, and CSRF tokens are filled in.',
    de: '{count} Endpunkte. Sie sind angemeldet, und CSRF-Token werden eingesetzt.',
  },
  failed: {
    en: 'The API could not be loaded: {reason} Reload the page to try again.',
    de: 'Die API konnte nicht geladen werden: {reason} Zum erneuten Versuch die Seite neu laden.',
  },
  documents: { en: 'Documents', de: 'Dokumente' },
  feed: { en: 'Live log feed (WebSocket)', de: 'Protokoll live (WebSocket)' },
  path: { en: 'Path and query', de: 'Pfad und Parameter' },
  connect: { en: 'Connect', de: 'Verbinden' },
  disconnect: { en: 'Disconnect', de: 'Trennen' },
  idle: { en: 'Not connected.', de: 'Nicht verbunden.' },
  connecting: { en: 'Connecting…', de: 'Verbindung wird aufgebaut …' },
  connected: {
    en: 'Connected. Frames appear as they arrive.',
    de: 'Verbunden. Nachrichten erscheinen, sobald sie eintreffen.',
  },
  ownPath: {
    en: 'Enter a path of this recorder, such as /api/logs.',
    de: 'Einen Pfad dieses Rekorders eingeben, etwa /api/logs.',
  },
  closed: { en: 'Closed: {reason} ({code}).', de: 'Geschlossen: {reason} ({code}).' },
  refused: {
    en: 'refused, or the connection was lost',
    de: 'abgelehnt, oder die Verbindung ging verloren',
  },
  noReason: { en: 'no reason given', de: 'ohne Angabe von Gründen' },
} as const satisfies TextTable;
