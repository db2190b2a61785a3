import type { TextTable } from './say.ts';

export const recordingTexts = {
  monitor: { en: 'Camera', de: 'Kamera' },
  day: { en: 'Day', de: 'Tag' },
  dayBefore: { en: 'The day before', de: 'Der Tag davor' },
  dayAfter: { en: 'The day after', de: 'Der Tag danach' },
  failed: { en: 'The recordings could not be loaded', de: 'Die Aufnahmen konnten nicht geladen werden' },
  none: { en: 'Nothing was recorded on this day', de: 'An diesem Tag wurde nichts aufgenommen' },
  noneHint: {
    en: 'Choose another day or camera. A camera records when something moves, or always, as its settings say.',
    de: 'Einen anderen Tag oder eine andere Kamera wählen. Eine Kamera nimmt auf, wenn sich etwas bewegt, oder immer, je nach Einstellung.',
  },
  noMonitors: { en: 'No cameras yet', de: 'Noch keine Kameras' },
  choose: { en: 'Choose a recording to play it', de: 'Zum Abspielen eine Aufnahme wählen' },
  timeline: {
    en: 'The day: what was recorded, and above it what was detected',
    de: 'Der Tag: was aufgenommen wurde, und darüber, was erkannt wurde',
  },
  list: { en: 'Recordings, newest first', de: 'Aufnahmen, neueste zuerst' },
  running: { en: 'being recorded', de: 'läuft noch' },
  lost: { en: 'ended early: {reason}', de: 'vorzeitig beendet: {reason}' },
  speed: { en: 'Speed', de: 'Tempo' },
  download: { en: 'Download this recording', de: 'Diese Aufnahme herunterladen' },
  clip: { en: 'Download a part', de: 'Ausschnitt herunterladen' },
  from: { en: 'From', de: 'Von' },
  to: { en: 'To', de: 'Bis' },
  downloadClip: { en: 'Download the part', de: 'Ausschnitt herunterladen' },
  clipOrder: { en: 'The end has to be after the beginning.', de: 'Das Ende muss nach dem Anfang liegen.' },
  unplayable: {
    en: 'This browser cannot play the recording ({codec}). It can be downloaded and played elsewhere.',
    de: 'Dieser Browser kann die Aufnahme ({codec}) nicht abspielen. Sie lässt sich herunterladen und anderswo abspielen.',
  },
  capped: { en: 'Only the newest {count} are shown.', de: 'Nur die neuesten {count} werden gezeigt.' },
} as const satisfies TextTable;
