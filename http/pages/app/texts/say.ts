import { signal } from '@preact/signals';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

/** One sentence in each language. `{name}` is replaced by a value of that name. */
export type Text = Readonly<Record<Language, string>>;
export type TextTable = Readonly<Record<string, Text>>;

const key = 'language';

/** The chosen language; until one is chosen, the browser's. Components that say something follow its changes. */
export const language = signal<Language>(known(localStorage.getItem(key)) ?? ofBrowser());

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(key, chosen);
  language.value = chosen;
}

export function say(text: Text, values: Readonly<Record<string, string | number>> = {}): string {
  return text[language.value].replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    String(values[name] ?? placeholder),
  );
}

function ofBrowser(): Language {
  for (const wanted of navigator.languages) {
    const found = known(wanted.slice(0, 2));
    if (found) return found;
  }
  return 'en';
}

function known(name: string | null): Language | undefined {
  return name !== null && Object.hasOwn(languages, name) ? (name as Language) : undefined;
}
