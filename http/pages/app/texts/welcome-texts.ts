import type { TextTable } from './say.ts';

/** The first steps of a new installation. */
export const welcomeTexts = {
  title: { en: 'Welcome to Sentrybus', de: 'Willkommen bei Sentrybus' },
  lead: {
    en: 'Three steps to the first recording. Each can be left out, and everything is found in Settings later.',
    de: 'Drei Schritte bis zur ersten Aufnahme. Jeder lässt sich auslassen, und alles steht später in den Einstellungen.',
  },
  steps: { en: 'Steps', de: 'Schritte' },
  step: { en: '{number}. {title}', de: '{number}. {title}' },
  passwordStep: { en: 'Password', de: 'Passwort' },
  cameraStep: { en: 'Camera', de: 'Kamera' },
  storageStep: { en: 'Storage', de: 'Speicher' },
  password: { en: 'Your password', de: 'Ihr Passwort' },
  camera: { en: 'The first camera', de: 'Die erste Kamera' },
  storage: { en: 'How much is kept', de: 'Wie viel bleibt' },
  passwordLead: {
    en: 'You are logged in as {name}, with the password that the recorder printed at its first start. Choose one of your own.',
    de: 'Sie sind als {name} angemeldet, mit dem Passwort, das der Rekorder beim ersten Start ausgegeben hat. Wählen Sie ein eigenes.',
  },
  newPassword: { en: 'New password', de: 'Neues Passwort' },
  passwordHint: {
    en: 'At least {min} characters. A few words that nobody would guess are easy to remember.',
    de: 'Mindestens {min} Zeichen. Ein paar Wörter, die niemand errät, lassen sich gut merken.',
  },
  tooShort: { en: 'Expected at least {min} characters.', de: 'Erwartet mindestens {min} Zeichen.' },
  showPassword: { en: 'Show the password', de: 'Passwort anzeigen' },
  savePassword: { en: 'Save the password', de: 'Passwort speichern' },
  passwordEnds: {
    en: 'Other browsers have to log in again; this one stays logged in.',
    de: 'Andere Browser müssen sich neu anmelden; dieser bleibt angemeldet.',
  },
  passwordLater: {
    en: 'Later: this page comes again until there is another password.',
    de: 'Später: Diese Seite kommt wieder, bis es ein anderes Passwort gibt.',
  },
  passwordDone: {
    en: 'The account {name} has a password of its own.',
    de: 'Das Konto {name} hat ein eigenes Passwort.',
  },
  noLogin: {
    en: 'This recorder asks nobody for a password: “auth_none” in sentryshot.toml.',
    de: 'Dieser Rekorder fragt niemanden nach einem Passwort: „auth_none“ in sentryshot.toml.',
  },
  cameraLead: {
    en: 'Its address is enough, and you see its picture before anything is saved. It is recorded continuously; detection and zones are set later, in Settings.',
    de: 'Ihre Adresse genügt, und Sie sehen ihr Bild, bevor etwas gespeichert wird. Sie wird durchgehend aufgenommen; Erkennung und Zonen stellen Sie später in den Einstellungen ein.',
  },
  demo: {
    en: 'The camera Demo is there to try everything without a camera. Delete it in Settings when you need it no longer.',
    de: 'Die Kamera Demo ist da, um alles ohne Kamera auszuprobieren. Löschen Sie sie in den Einstellungen, wenn Sie sie nicht mehr brauchen.',
  },
  cameras: { en: 'Cameras that are there: {names}', de: 'Vorhandene Kameras: {names}' },
  saveCamera: { en: 'Save the camera', de: 'Kamera speichern' },
  storageLead: {
    en: 'The recorder deletes the oldest recordings by itself before the disk is full. Its limit in GB is “max_disk_usage” in sentryshot.toml: change it there and start the recorder again. How many days of a camera are kept is set with the camera, in Settings.',
    de: 'Der Rekorder löscht die ältesten Aufnahmen von selbst, bevor die Platte voll ist. Seine Grenze in GB ist „max_disk_usage“ in sentryshot.toml: Ändern Sie sie dort und starten Sie den Rekorder neu. Wie viele Tage einer Kamera bleiben, steht bei der Kamera in den Einstellungen.',
  },
  next: { en: 'Next step', de: 'Nächster Schritt' },
  later: { en: 'Later', de: 'Später' },
  watch: { en: 'Watch the live picture', de: 'Live-Bild ansehen' },
} as const satisfies TextTable;
