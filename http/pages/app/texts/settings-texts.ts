import type { TextTable } from './say.ts';

/** All of the settings but cameras. */
export const settingsTexts = {
  title: { en: 'Settings', de: 'Einstellungen' },
  parts: { en: 'Parts of the settings', de: 'Bereiche der Einstellungen' },
  monitors: { en: 'Cameras', de: 'Kameras' },
  save: { en: 'Save', de: 'Speichern' },
  saving: { en: 'Saving …', de: 'Wird gespeichert …' },
  saved: { en: 'Saved.', de: 'Gespeichert.' },
  discard: { en: 'Discard changes', de: 'Änderungen verwerfen' },
  unsaved: {
    en: 'There are changes that are not saved.',
    de: 'Es gibt Änderungen, die nicht gespeichert sind.',
  },
  leave: {
    en: 'Your changes are not saved. Leave all the same, and lose them?',
    de: 'Ihre Änderungen sind nicht gespeichert. Trotzdem verlassen und sie verlieren?',
  },
  edit: { en: 'Edit', de: 'Bearbeiten' },
  cancel: { en: 'Cancel', de: 'Abbrechen' },
  failed: { en: 'The settings could not be loaded', de: 'Die Einstellungen konnten nicht geladen werden' },
} as const satisfies TextTable;
