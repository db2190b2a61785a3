import { useEffect } from 'preact/hooks';
import { guardLeaving } from '../../shell/address.ts';
import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import type { Draft } from './draft.ts';

/** Asks before the page is left, or closed, with changes that are not saved. */
export function useLeaveGuard(draft: Draft): void {
  useEffect(() => {
    const forget = guardLeaving(() => !draft.isChanged.value || confirm(say(settingsTexts.leave)));
    const unload = (event: BeforeUnloadEvent) => {
      // The browser asks in its own words.
      if (draft.isChanged.value) event.preventDefault();
    };
    addEventListener('beforeunload', unload);
    return () => {
      forget();
      removeEventListener('beforeunload', unload);
    };
  }, [draft]);
}
