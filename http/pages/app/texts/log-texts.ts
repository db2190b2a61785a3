import type { TextTable } from './say.ts';

export const logTexts = {
  title: { en: 'Log', de: 'Protokoll' },
  filters: { en: 'Filters', de: 'Filter' },
  levels: { en: 'Levels', de: 'Stufen' },
  error: { en: 'Errors', de: 'Fehler' },
  warning: { en: 'Warnings', de: 'Warnungen' },
  info: { en: 'Info', de: 'Info' },
  debug: { en: 'Debug', de: 'Debug' },
  source: { en: 'Source', de: 'Quelle' },
  monitor: { en: 'Camera', de: 'Kamera' },
  any: { en: 'All', de: 'Alle' },
  text: { en: 'Search', de: 'Suchen' },
  textHint: { en: 'Text in the message', de: 'Text in der Meldung' },
  live: { en: 'Live', de: 'Live' },
  connecting: { en: 'Connecting …', de: 'Verbindung …' },
  none: { en: 'No entry matches these filters', de: 'Kein Eintrag passt zu diesen Filtern' },
  noneHint: { en: 'New ones appear here at once.', de: 'Neue erscheinen sofort hier.' },
  clear: { en: 'Remove all filters', de: 'Alle Filter entfernen' },
  failed: { en: 'The log could not be loaded', de: 'Das Protokoll konnte nicht geladen werden' },
  more: { en: 'Loading older entries …', de: 'Ältere Einträge werden geladen …' },
  beginning: { en: 'This is the beginning of the log.', de: 'Hier beginnt das Protokoll.' },
} as const satisfies TextTable;
