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

/** What the last 24 hours would have triggered. */
export const triggerTexts = {
  title: {
    en: 'The last 24 hours with these settings',
    de: 'Die letzten 24 Stunden mit diesen Einstellungen',
  },
  lead: {
    en: 'Counts the stored events as they were and as they would be, before anything is saved. It follows the form while you change it. Objects are counted as if motion had been the same.',
    de: 'Zählt die gespeicherten Ereignisse, wie sie waren und wie sie wären, bevor etwas gespeichert wird. Folgt dem Formular, während Sie es ändern. Objekte werden gezählt, als wäre die Bewegung dieselbe gewesen.',
  },
  compare: { en: 'Compare with the last 24 hours', de: 'Mit den letzten 24 Stunden vergleichen' },
  again: { en: 'Fetch the events again', de: 'Ereignisse neu laden' },
  loading: { en: 'Fetching events …', de: 'Ereignisse werden geladen …' },
  what: { en: 'Trigger', de: 'Auslöser' },
  was: { en: 'Was', de: 'War' },
  would: { en: 'Would be', de: 'Wäre' },
  removed: { en: '{name}, no longer watched', de: '{name}, nicht mehr beobachtet' },
  least: { en: 'at least {count}', de: 'mindestens {count}' },
  unknown: { en: 'cannot be known', de: 'lässt sich nicht sagen' },
  leastHint: {
    en: '“At least”: what scored too low to trigger was not stored, and an object may have scored higher than its events say.',
    de: '„Mindestens“: Was zum Auslösen nicht reichte, wurde nicht gespeichert, und ein Objekt kann sicherer erkannt worden sein, als seine Ereignisse sagen.',
  },
  unknownHint: {
    en: '“Cannot be known”: with another area, sensitivity, rate or model the scores would be others, and those of what was not watched are not stored.',
    de: '„Lässt sich nicht sagen“: Mit anderer Fläche, Empfindlichkeit, Rate oder anderem Modell wären die Werte andere, und von Unbeobachtetem sind keine gespeichert.',
  },
  part: {
    en: 'There are more events than are looked at: only those since {time} are complete.',
    de: 'Es gibt mehr Ereignisse, als betrachtet werden: Vollständig sind nur die seit {time}.',
  },
  pictures: { en: 'Pictures of the triggers', de: 'Bilder der Auslöser' },
  stays: { en: 'triggers', de: 'löst aus' },
  goes: { en: 'no longer triggers', de: 'löst nicht mehr aus' },
} as const satisfies TextTable;
