import { useRef } from 'preact/hooks';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import type { Draft } from '../form/draft.ts';
import { PlainField, SwitchField } from '../form/form-fields.tsx';
import { idOfName } from './new-monitor.ts';

interface NameProps {
  readonly draft: Draft;
  /** Ids of all monitors. */
  readonly taken: readonly string[];
  readonly isNew: boolean;
}

/** Name and id of a monitor, and whether it runs. */
export function NameFields({ draft, taken, isNew }: NameProps) {
  const followsName = useRef(isNew);
  return (
    <>
      <PlainField
        label={say(cameraTexts.name)}
        hint={say(cameraTexts.nameHint)}
        flaw={draft.flawAt('/name')}
        value={String(draft.get('/name') ?? '')}
        change={(name) => {
          draft.set('/name', name);
          if (followsName.current) draft.set('/id', idOfName(name, taken));
        }}
        maxLength={64}
      />
      {isNew && (
        <PlainField
          label={say(cameraTexts.id)}
          hint={say(cameraTexts.idHint)}
          flaw={draft.flawAt('/id')}
          value={String(draft.get('/id') ?? '')}
          change={(id) => {
            followsName.current = false;
            draft.set('/id', id);
          }}
          maxLength={24}
          autoCapitalize="none"
          spellcheck={false}
        />
      )}
      <SwitchField
        draft={draft}
        pointer="/enable"
        label={say(cameraTexts.enable)}
        hint={say(cameraTexts.enableHint)}
      />
    </>
  );
}
