import { useId, useState } from 'preact/hooks';
import type { JsonObject } from '../../../../../store/base/json.ts';
import { Icon } from '../../shell/icons.tsx';
import type { Draft } from './draft.ts';
import { NumberField } from './form-fields.tsx';

interface LabelNumbersProps {
  readonly draft: Draft;
  /** JSON pointer of the object of numbers by label. */
  readonly pointer: string;
  readonly legend: string;
  readonly hint?: string;
  readonly unit: string;
  readonly max: number;
  /** Of a label that is added. */
  readonly usual: number;
  /** Labels that are proposed. */
  readonly proposed: readonly string[];
  /** Names of the field for a new label, and of the button that adds it. */
  readonly labelName: string;
  readonly addName: string;
  /** Names of the number of a label, and of the button that removes it. */
  nameOf(label: string): string;
  removeNameOf(label: string): string;
}

/** Labels, each with a number. */
export function LabelNumbers({ draft, pointer, legend, hint, unit, max, ...props }: LabelNumbersProps) {
  const id = useId();
  const [label, setLabel] = useState('');
  const numbers = (draft.get(pointer) ?? {}) as JsonObject;
  const labels = Object.keys(numbers).sort();
  const add = () => {
    const name = label.trim();
    // A slash would be a step into what is below.
    if (name === '' || name.includes('/') || name in numbers) return;
    draft.set(pointer, { ...numbers, [name]: props.usual });
    setLabel('');
  };
  const flaw = draft.flawAt(pointer);
  return (
    <fieldset class="group">
      <legend>{legend}</legend>
      {hint && <small class="hint">{hint}</small>}
      <ul class="thresholds">
        {labels.map((name) => (
          <li key={name}>
            <NumberField
              draft={draft}
              pointer={`${pointer}/${name}`}
              label={name}
              aria-label={props.nameOf(name)}
              unit={unit}
              min={0}
              max={max}
            />
            <button
              type="button"
              class="icon-button"
              aria-label={props.removeNameOf(name)}
              onClick={() => draft.set(`${pointer}/${name}`, undefined)}
            >
              <Icon name="remove" />
            </button>
          </li>
        ))}
      </ul>
      <div class="row">
        <label class="inline">
          {props.labelName}
          <input
            list={id}
            value={label}
            maxLength={64}
            autoCapitalize="none"
            onInput={({ currentTarget: { value } }) => setLabel(value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              // Not the whole form.
              event.preventDefault();
              add();
            }}
          />
        </label>
        <datalist id={id}>
          {props.proposed
            .filter((name) => !(name in numbers))
            .map((name) => (
              <option key={name} value={name} />
            ))}
        </datalist>
        <button type="button" onClick={add}>
          {props.addName}
        </button>
      </div>
      {flaw && !labels.some((name) => draft.flawAt(`${pointer}/${name}`)) && (
        <small class="flaw" role="alert">
          {flaw}
        </small>
      )}
    </fieldset>
  );
}
