import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import type { Draft } from './draft.ts';

interface SaveBarProps {
  readonly draft: Draft;
  readonly isNew: boolean;
}

/** Always in sight at the end of a form: whether there is something to save, and what the recorder found wrong. */
export function SaveBar({ draft, isNew }: SaveBarProps) {
  const isChanged = draft.isChanged.value;
  const flaw = draft.flaw.value;
  const isIdle = !isChanged && !isNew;
  // A button that is really disabled would lose the focus when everything is saved.
  return (
    <div class="save-bar" data-changed={isChanged || isNew}>
      <button
        type="submit"
        class="primary"
        aria-disabled={isIdle}
        onClick={(event) => {
          if (isIdle) event.preventDefault();
        }}
      >
        {say(settingsTexts.save)}
      </button>
      <button type="button" aria-disabled={!isChanged} onClick={() => draft.reset()}>
        {say(settingsTexts.discard)}
      </button>
      <p role="status">
        {flaw ? (
          <span class="bad">{flaw.sentence}</span>
        ) : (
          <span class="quiet">{isChanged && say(settingsTexts.unsaved)}</span>
        )}
      </p>
    </div>
  );
}
