import { effect } from '@preact/signals';
import { stored } from './stored.ts';

export const themes = ['system', 'light', 'dark'] as const;

export const theme = stored('theme', themes, 'system');

/** Style sheets read the choice from the root element. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}
