import type { TextTable } from './say.ts';

export const machineTexts = {
  title: { en: 'Machines', de: 'Rechner' },
  away: { en: 'away', de: 'nicht erreichbar' },
  votes: { en: 'votes only', de: 'stimmt nur ab' },
  oneCamera: { en: '1 camera', de: '1 Kamera' },
  cameras: { en: '{count} cameras', de: '{count} Kameras' },
  takeOver: { en: 'Record its cameras here', de: 'Seine Kameras hier aufnehmen' },
  sure: {
    en: 'Only if {name} is switched off: if it is merely cut off, both record its cameras. Is it off?',
    de: 'Nur wenn {name} ausgeschaltet ist: Ist nur die Verbindung unterbrochen, nehmen beide seine Kameras auf. Ist er aus?',
  },
} as const satisfies TextTable;
