import type { TextTable } from './say.ts';

/** What the forms and lists of all settings say. */
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

/** Accounts and their logins. */
export const accountTexts = {
  title: { en: 'Accounts', de: 'Konten' },
  add: { en: 'Add an account', de: 'Konto hinzufügen' },
  admin: { en: 'Administrator', de: 'Administrator' },
  adminHint: { en: 'Sees everything and changes everything.', de: 'Sieht alles und ändert alles.' },
  user: { en: 'User', de: 'Benutzer' },
  userHint: {
    en: 'Watches live and recorded pictures, and changes nothing.',
    de: 'Sieht Live-Bilder und Aufnahmen und ändert nichts.',
  },
  allMonitors: { en: 'All cameras', de: 'Alle Kameras' },
  someMonitors: { en: 'Cameras: {count}', de: 'Kameras: {count}' },
  chosen: { en: 'Only chosen cameras', de: 'Nur ausgewählte Kameras' },
  chosenHint: { en: 'As if there were no others.', de: 'Als gäbe es keine anderen.' },
  username: { en: 'User name', de: 'Benutzername' },
  password: { en: 'Password', de: 'Passwort' },
  passwordNew: { en: 'Give it to the person in private.', de: 'Geben Sie es der Person vertraulich weiter.' },
  passwordKept: { en: 'Empty: it stays as it is.', de: 'Leer: Es bleibt, wie es ist.' },
  role: { en: 'Role', de: 'Rolle' },
  monitors: { en: 'May see', de: 'Darf sehen' },
  ends: {
    en: 'Any change ends the logins of this account; if it is your own, you log in again.',
    de: 'Jede Änderung beendet die Anmeldungen dieses Kontos; ist es Ihr eigenes, melden Sie sich neu an.',
  },
  delete: { en: 'Delete this account', de: 'Dieses Konto löschen' },
  deleteSure: {
    en: 'Delete the account {name}, and end its logins?',
    de: 'Das Konto {name} löschen und seine Anmeldungen beenden?',
  },
  sessions: { en: 'Logins', de: 'Anmeldungen' },
  sessionsHint: {
    en: 'Where people are logged in with a browser. The last used first.',
    de: 'Wo Menschen mit einem Browser angemeldet sind. Zuletzt benutzte zuerst.',
  },
  noSessions: { en: 'Nobody is logged in with a browser.', de: 'Niemand ist mit einem Browser angemeldet.' },
  current: { en: 'this browser', de: 'dieser Browser' },
  end: { en: 'End', de: 'Beenden' },
  endOf: { en: 'End the login of {name} at {address}', de: 'Anmeldung von {name} bei {address} beenden' },
} as const satisfies TextTable;

/** Storage, models and MQTT. */
export const systemTexts = {
  storage: { en: 'Storage', de: 'Speicher' },
  used: { en: '{used} of {max} used.', de: '{used} von {max} belegt.' },
  recordings: { en: 'Recordings', de: 'Aufnahmen' },
  protected: { en: 'of them protected', de: 'davon geschützt' },
  snapshots: { en: 'Pictures of events', de: 'Bilder von Ereignissen' },
  log: { en: 'Log and events', de: 'Protokoll und Ereignisse' },
  bus: { en: 'Message bus', de: 'Nachrichtenbus' },
  free: { en: 'Free on the disk', de: 'Frei auf der Platte' },
  room: { en: 'There is enough space.', de: 'Es ist genug Platz.' },
  full: {
    en: 'The disk is full: the oldest recordings are deleted.',
    de: 'Die Platte ist voll: Die ältesten Aufnahmen werden gelöscht.',
  },
  taken: {
    en: 'Files of others take the space that is freed, so deleting pauses.',
    de: 'Fremde Dateien belegen, was frei wird; das Löschen ruht.',
  },
  newest: {
    en: 'Only protected recordings and the newest hours of each camera are left.',
    de: 'Nur geschützte Aufnahmen und die neuesten Stunden jeder Kamera sind übrig.',
  },
  filling: {
    en: 'The disk will be full within a day, before the recorder reaches its own limit.',
    de: 'Die Platte ist in weniger als einem Tag voll, bevor der Rekorder seine Grenze erreicht.',
  },
  limitHint: {
    en: 'The limit is “max_disk_usage” in sentryshot.toml.',
    de: 'Die Grenze ist „max_disk_usage“ in sentryshot.toml.',
  },
  byMonitor: { en: 'By camera', de: 'Nach Kamera' },
  retentionHint: {
    en: 'How long recordings are kept is set for each camera.',
    de: 'Wie lange Aufnahmen bleiben, ist bei jeder Kamera eingestellt.',
  },
  since: { en: 'since {time}', de: 'seit {time}' },
  perDay: { en: '{size} a day', de: '{size} am Tag' },
  daysLeft: { en: 'Space for {days} more days.', de: 'Platz für noch {days} Tage.' },
  deletedNow: { en: 'The oldest are being deleted.', de: 'Die ältesten werden gelöscht.' },
  spaceUnknown: {
    en: 'How long the space lasts is known after ten minutes of recording.',
    de: 'Wie lange der Platz reicht, ist nach zehn Minuten Aufnahme bekannt.',
  },
  nothingRecorded: { en: 'Nothing was recorded yet.', de: 'Noch nichts aufgenommen.' },
  models: { en: 'Models', de: 'Modelle' },
  modelsHint: {
    en: 'What looks for objects now. Each camera names its model; models are listed in tflite.toml.',
    de: 'Was gerade nach Objekten sucht. Jede Kamera nennt ihr Modell; Modelle stehen in tflite.toml.',
  },
  noModels: { en: 'No camera looks for objects now.', de: 'Keine Kamera sucht gerade nach Objekten.' },
  skipped: { en: '{count} pictures skipped for newer ones', de: '{count} Bilder für neuere übersprungen' },
  mqtt: { en: 'MQTT', de: 'MQTT' },
  mqttOff: {
    en: 'The plugin “mqtt” is off: see sentryshot.toml.',
    de: 'Das Plugin „mqtt“ ist aus: siehe sentryshot.toml.',
  },
  connected: { en: 'Connected to {broker} since {time}', de: 'Verbunden mit {broker} seit {time}' },
  notConnected: {
    en: 'Not connected to {broker} since {time}',
    de: 'Nicht verbunden mit {broker} seit {time}',
  },
  undelivered: {
    en: 'Events that wait for the broker: {length}. Expired before they were delivered: {lost}.',
    de: 'Ereignisse, die auf den Broker warten: {length}. Vor der Zustellung verfallen: {lost}.',
  },
  waitingSince: {
    en: 'The oldest of them has been waiting since {time}.',
    de: 'Das älteste davon wartet seit {time}.',
  },
  refused: {
    en: 'The broker refuses the topic {topic} ({count} messages):',
    de: 'Der Broker lehnt das Thema {topic} ab ({count} Nachrichten):',
  },
} as const satisfies TextTable;
