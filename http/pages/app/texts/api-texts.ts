import type { TextTable } from './say.ts';

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
