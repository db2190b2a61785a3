import { language } from '../texts/say.ts';

/** What the recorder finds wrong with a field, in German: by what it says that it expects. */
const expected: Readonly<Record<string, string>> = {
  'the id of a monitor: 1 to 24 letters and digits':
    'die Kennung einer Kamera: 1 bis 24 Buchstaben und Ziffern',
  '1 to 24 letters and digits': '1 bis 24 Buchstaben und Ziffern',
  '1 to 64 printable characters': '1 bis 64 druckbare Zeichen',
  '1 to 64 letters, digits, hyphens and underscores':
    '1 bis 64 Buchstaben, Ziffern, Bindestriche und Unterstriche',
  '1 to 64 characters, without colons and control characters':
    '1 bis 64 Zeichen, ohne Doppelpunkte und Steuerzeichen',
  'a list of at most 1000 monitor ids': 'eine Liste von höchstens 1000 Kameras',
  'no list: an admin sees all monitors': 'keine Liste: Ein Administrator sieht alle Kameras',
  'a password for a new account': 'ein Passwort für ein neues Konto',
  '1 to 1024 characters': '1 bis 1024 Zeichen',
  '"rtsp", "file" or "test"': '„rtsp“, „file“ oder „test“',
  '"tcp" or "udp"': '„tcp“ oder „udp“',
  'a URL rtsp://… or rtsps://… of at most 2048 characters; user name and password as they are, or with %40 for @, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for %':
    'eine Adresse rtsp://… oder rtsps://… von höchstens 2048 Zeichen; Benutzername und Passwort wie sie sind, oder mit %40 für @, %2F für /, %3A für :, %3F für ?, %23 für # und %25 für %',
  'the password itself: the stored one belongs to another URL':
    'das Passwort selbst: Das gespeicherte gehört zu einer anderen Adresse',
  'a number of seconds, 1 to 300: the longest wait for an answer of the camera or its first picture':
    'eine Anzahl von Sekunden, 1 bis 300: die längste Wartezeit auf eine Antwort der Kamera oder ihr erstes Bild',
  'a path below the media folder, without ".."': 'ein Pfad unterhalb des Medienordners, ohne „..“',
  'a file in the media folder': 'eine Datei im Medienordner',
  'a file': 'eine Datei',
  'a number of minutes above 0, at most 10080': 'eine Anzahl von Minuten über 0, höchstens 10080',
  'a number of days above 0': 'eine Anzahl von Tagen über 0',
  'a number of days above 0: older recordings are deleted':
    'eine Anzahl von Tagen über 0: ältere Aufnahmen werden gelöscht',
  'a number of gigabytes, at least 0.001: past it the oldest recordings are deleted':
    'eine Anzahl von Gigabyte, mindestens 0,001: darüber werden die ältesten Aufnahmen gelöscht',
  'a number of hours, 0 to 8760: the newest recordings, kept even if the disk is full':
    'eine Anzahl von Stunden, 0 bis 8760: die neuesten Aufnahmen, die auch bei voller Platte bleiben',
  'a number of seconds, 0 to 86400': 'eine Anzahl von Sekunden, 0 bis 86400',
  'a number of frames per second, 0 to 100 (0: every frame)':
    'eine Anzahl von Bildern in der Sekunde, 0 bis 100 (0: jedes Bild)',
  'a sensitivity, 0 to 100 percent': 'eine Empfindlichkeit, 0 bis 100 Prozent',
  'a threshold, 0 to 100 percent': 'ein Schwellwert, 0 bis 100 Prozent',
  'the score from which on the label counts, 0 to 100 percent':
    'die Sicherheit, ab der das Objekt zählt, 0 bis 100 Prozent',
  'a percentage for each label': 'ein Prozentwert für jedes Objekt',
  'a whole number of millionths, 0 to 1000000': 'eine ganze Zahl von Millionsteln, 0 bis 1000000',
  'a whole number of millionths, 1 to 1000000': 'eine ganze Zahl von Millionsteln, 1 bis 1000000',
  'at most 64 zones': 'höchstens 64 Zonen',
  'at most 256 points [x, y] in millionths of the width and height': 'höchstens 256 Ecken',
  'the name of a detector: 1 to 64 letters, digits, hyphens and underscores':
    'der Name einer Erkennung: 1 bis 64 Buchstaben, Ziffern, Bindestriche und Unterstriche',
  'false, because this monitor has no sub stream to record':
    '„nein“, weil diese Kamera keinen Zweitstrom hat, der aufgenommen werden könnte',
  'a list of the machines of the cluster that reach the camera':
    'eine Liste der Rechner des Verbunds, die die Kamera erreichen',
  'the name of a machine': 'der Name eines Rechners',
  'a time after start': 'eine Zeit nach dem Anfang',
};

/** Whole sentences, without the full stop. */
const sentences: Readonly<Record<string, string>> = {
  'another account has this name': 'ein anderes Konto hat diesen Namen',
  'the last administrator cannot be demoted or deleted':
    'der letzte Administrator kann weder gelöscht werden noch seine Rechte verlieren',
  'this monitor has just been changed on another machine':
    'diese Kamera wurde gerade auf einem anderen Rechner geändert',
  'this account has just been changed on another machine':
    'dieses Konto wurde gerade auf einem anderen Rechner geändert',
  'nothing was changed: less than a majority of the voting machines is there':
    'nichts wurde geändert: Die Mehrheit der abstimmenden Rechner ist nicht erreichbar',
  'nothing was changed: the first machine of the cluster has not been there yet':
    'nichts wurde geändert: Der erste Rechner des Verbunds war noch nicht erreichbar',
  'nothing was changed: the voting machines have not agreed in time':
    'nichts wurde geändert: Die abstimmenden Rechner haben sich nicht rechtzeitig geeinigt',
  'it is not known whether this was changed: look again when the voting machines answer':
    'ob dies geändert wurde, ist nicht bekannt: Sehen Sie nach, sobald die abstimmenden Rechner antworten',
  'wrong user name or password': 'falscher Benutzername oder falsches Passwort',
  'only an admin may do this': 'das dürfen nur Administratoren',
  'there is nothing here': 'hier ist nichts',
  'there is no such account': 'dieses Konto gibt es nicht',
  'there is no such monitor': 'diese Kamera gibt es nicht',
  'there is no such recording': 'diese Aufnahme gibt es nicht',
  'nothing was recorded in this time': 'in dieser Zeit wurde nichts aufgenommen',
  'it is protected': 'die Aufnahme ist geschützt',
  'it is being written; delete it when it is complete':
    'die Aufnahme läuft noch; löschen Sie sie, wenn sie fertig ist',
  'the server is stopping': 'der Rekorder wird gerade beendet',
  'the server failed; see its log': 'ein Fehler des Rekorders; Näheres steht in seinem Protokoll',
  'the camera asks for a user name and a password':
    'die Kamera verlangt einen Benutzernamen und ein Passwort',
  'the camera closed the connection': 'die Kamera hat die Verbindung beendet',
  'the camera offers no stream at all': 'die Kamera bietet keinen Strom an',
  'the camera offers no video': 'die Kamera bietet kein Video an',
  'the camera has no such stream': 'diesen Strom gibt es in der Kamera nicht',
  'the connection was closed': 'die Verbindung wurde beendet',
  'the camera asks for a login and does not say for which kind':
    'die Kamera verlangt eine Anmeldung und sagt nicht, was für eine',
  'no two UDP ports in a row are free': 'es sind keine zwei aufeinanderfolgenden UDP-Ports frei',
  'the camera redirects to an address that cannot be used':
    'die Kamera verweist auf eine unbrauchbare Adresse',
  'what comes is no video: no picture for 60 s': 'was kommt, ist kein Video: seit 60 s kein Bild',
  'the file has been played': 'die Datei ist zu Ende',
  'the test was ended': 'der Versuch wurde beendet',
};

/** Sentences with something of their own in them. */
const patterns: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [/^expected true or false\b/, () => 'erwartet wird „ja“ oder „nein“'],
  [
    /^expected (.+)$/s,
    (what = '') => (expected[what] ? `erwartet wird ${expected[what]}` : `expected ${what}`),
  ],
  [
    /^(main|sub) stream: (.+)$/,
    (name, rest = '') => `${name === 'main' ? 'Hauptstrom' : 'Zweitstrom'}: ${german(rest)}`,
  ],
  [
    /^(.+) is away: what it has on its disk can be had when it is back$/,
    (machine) => `${machine} ist nicht erreichbar: Was dort auf der Platte liegt, gibt es erst wieder danach`,
  ],
  [
    /^(.+) has to answer, and cannot be reached$/,
    (machine) => `${machine} müsste antworten und ist nicht erreichbar`,
  ],
  [
    /^none of the machines that reach this camera is heard: (.+)$/,
    (machines) => `kein Rechner, der diese Kamera erreicht, ist zu hören: ${machines}`,
  ],
  [/^the camera cannot be reached: (.+)$/, (cause) => `die Kamera ist nicht erreichbar: ${cause}`],
  [
    /^the camera has (not answered|sent no picture) within (\S+) s$/,
    (what, seconds) =>
      what === 'not answered'
        ? `die Kamera hat nach ${seconds} s nicht geantwortet`
        : `die Kamera hat in ${seconds} s kein Bild geschickt`,
  ],
  [/^no video for (\S+) s$/, (seconds) => `seit ${seconds} s kein Video`],
  [
    /^the camera did not answer (\S+) within (\S+) s(.*)$/s,
    (method, seconds, rest = '') => `die Kamera hat ${method} nach ${seconds} s nicht beantwortet${rest}`,
  ],
  [
    /^(.+) before the answer to (\S+)$/s,
    (what = '', method) => `${german(what)}, vor der Antwort auf ${method}`,
  ],
  [
    /^the camera (forbids|is too busy for) (\S+) \(RTSP status (\d+)\)$/,
    (what, method, status) =>
      what === 'forbids'
        ? `die Kamera verbietet ${method} (RTSP-Status ${status})`
        : `die Kamera ist zu beschäftigt für ${method} (RTSP-Status ${status})`,
  ],
  [
    /^the camera refuses (\S+) with RTSP status (\d+)$/,
    (method, status) => `die Kamera verweigert ${method} mit RTSP-Status ${status}`,
  ],
  [
    /^the camera redirects more than (\d+) times$/,
    (count) => `die Kamera verweist mehr als ${count}-mal weiter`,
  ],
  [
    /^the camera offers only logins that are not supported: (.+)$/s,
    (names) => `die Kamera bietet nur Anmeldungen an, die nicht unterstützt werden: ${names}`,
  ],
  [
    /^nothing can be made of what the camera sends: (.+)$/s,
    (what) => `mit dem, was die Kamera sendet, ist nichts anzufangen: ${what}`,
  ],
  [/^the connection broke \((.+)\)$/, (code) => `die Verbindung brach ab (${code})`],
  [
    /^the camera offers (.+) video, neither H\.264 nor H\.265$/,
    (codec) => `die Kamera bietet Video in ${codec} an, weder H.264 noch H.265`,
  ],
];

/** A sentence of the recorder in the viewer's language; as it is, in English, where there is none. */
export function translated(sentence: string): string {
  if (language.value === 'en') return sentence;
  const [, pointer = '', words = '', stop = ''] = /^(\/\S*: )?(.*?)(\.?)$/s.exec(sentence) ?? [];
  const first = words.charAt(0);
  const plain = first.toLowerCase() + words.slice(1);
  const found = german(plain);
  if (found === plain) return sentence;
  const isCapital = first !== first.toLowerCase();
  return `${pointer}${isCapital ? found.charAt(0).toUpperCase() + found.slice(1) : found}${stop}`;
}

function german(words: string): string {
  const known = sentences[words];
  if (known !== undefined) return known;
  for (const [pattern, say] of patterns) {
    const parts = pattern.exec(words);
    if (parts) return say(...parts.slice(1));
  }
  return words;
}
