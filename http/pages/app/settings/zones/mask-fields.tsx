import { say } from '../../texts/say.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';
import type { Draft } from '../form/draft.ts';
import { PlainSwitch } from '../form/form-fields.tsx';
import { usualPolygon } from './polygon-editing.ts';
import { json, maskPointer, type ObjectMask } from './zones.ts';

interface MaskProps {
  readonly draft: Draft;
  readonly mask: ObjectMask;
  readonly choose: (pointer: string) => void;
}

/** Where objects are ignored. */
export function MaskFields({ draft, mask, choose }: MaskProps) {
  return (
    <div class="mask">
      <PlainSwitch
        label={say(zoneTexts.maskEnable)}
        hint={say(zoneTexts.maskHint)}
        flaw={draft.flawAt(maskPointer)}
        checked={mask.enable}
        change={(enable) => {
          const area = mask.area.length > 0 ? mask.area : usualPolygon;
          draft.set(maskPointer, json({ enable, area }));
          if (enable) choose(`${maskPointer}/area`);
        }}
      />
    </div>
  );
}
