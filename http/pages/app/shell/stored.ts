import { type Signal, signal } from '@preact/signals';

/** A choice that this browser keeps. Anything else that is found in the storage counts as `usual`. */
export function stored<Choice extends string>(
  key: string,
  choices: readonly Choice[],
  usual: Choice,
): Signal<Choice> {
  const found = localStorage.getItem(key);
  const choice = signal<Choice>(choices.find((one) => one === found) ?? usual);
  choice.subscribe((value) => localStorage.setItem(key, value));
  return choice;
}
