import type { TextTable } from './say.ts';

/** Zones and masks of cameras. */
export const zoneTexts = {
  title: { en: 'Zones', de: 'Zonen' },
  how: {
    en: 'Drag the corners. A small point in an edge adds a corner, a double click removes one. With the keyboard: Tab to a corner, arrow keys (with Shift in small steps), Delete.',
    de: 'Ecken ziehen. Ein kleiner Punkt in einer Kante fügt eine Ecke hinzu, ein Doppelklick entfernt eine. Mit der Tastatur: Tab zu einer Ecke, Pfeiltasten (mit Umschalt in kleinen Schritten), Entf.',
  },
  drawing: { en: 'Zones over the picture', de: 'Zonen über dem Bild' },
  picture: { en: 'Live picture', de: 'Live-Bild' },
  noPicture: {
    en: 'No live picture now. Zones can be drawn all the same.',
    de: 'Gerade kein Live-Bild. Zonen lassen sich trotzdem zeichnen.',
  },
  zone: { en: 'Zone {number}', de: 'Zone {number}' },
  mask: { en: 'Mask', de: 'Maske' },
  corner: {
    en: 'Corner {number} of {name}: {x} % from the left, {y} % from the top',
    de: 'Ecke {number} von {name}: {x} % von links, {y} % von oben',
  },
  addCorner: {
    en: 'Add a corner to {name} after corner {number}',
    de: 'Ecke zu {name} hinzufügen, nach Ecke {number}',
  },
  add: { en: 'Add a zone', de: 'Zone hinzufügen' },
  remove: { en: 'Remove {name}', de: '{name} entfernen' },
  off: { en: 'off', de: 'aus' },
  enable: { en: 'Watch this zone', de: 'Diese Zone beobachten' },
  sensitivity: { en: 'A pixel counts above', de: 'Ein Bildpunkt zählt über' },
  sensitivityHint: {
    en: 'So much it has to change. Less: noise and shadows count, too.',
    de: 'So stark muss er sich ändern. Weniger: Auch Rauschen und Schatten zählen.',
  },
  thresholdMin: { en: 'Motion above', de: 'Bewegung über' },
  thresholdMinHint: { en: 'So much of the zone has to change.', de: 'So viel der Zone muss sich ändern.' },
  thresholdMax: { en: 'up to', de: 'bis' },
  thresholdMaxHint: {
    en: 'More is no motion: the light was switched on. 100: no limit.',
    de: 'Mehr ist keine Bewegung: Licht ging an. 100: ohne Grenze.',
  },
  score: { en: 'now {last}, highest of 10 s: {highest}', de: 'jetzt {last}, höchster in 10 s: {highest}' },
  noScore: { en: 'measuring …', de: 'wird gemessen …' },
  triggers: { en: 'Motion', de: 'Bewegung' },
  notRunning: {
    en: 'Scores appear once motion detection runs: save it switched on.',
    de: 'Werte erscheinen, sobald die Bewegungserkennung läuft: eingeschaltet speichern.',
  },
  maskEnable: {
    en: 'Ignore objects in a part of the picture',
    de: 'Objekte in einem Teil des Bildes ignorieren',
  },
  maskHint: {
    en: 'Those whose middle is inside of the mask: a street, the neighbour’s garden.',
    de: 'Solche, deren Mitte in der Maske liegt: eine Straße, Nachbars Garten.',
  },
} as const satisfies TextTable;
