import type { ComponentChildren, TargetedEvent } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Draft } from './draft.ts';

/** Fields of a form: each with a name, one line that explains it, and what the recorder finds wrong with it. */

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly flaw?: string | undefined;
}

interface DraftFieldProps extends FieldProps {
  readonly draft: Draft;
  /** JSON pointer of the part that it shows. */
  readonly pointer: string;
}

interface InputProps {
  readonly maxLength?: number;
  readonly inputMode?: 'url';
  readonly autoCapitalize?: 'none';
  readonly autoComplete?: 'off' | 'new-password' | 'username';
  readonly spellcheck?: boolean;
  readonly placeholder?: string;
  /** The field was left, with another value than before. */
  readonly onChange?: (event: TargetedEvent<HTMLInputElement>) => void;
}

export interface PlainFieldProps extends FieldProps, InputProps {
  readonly value: string;
  readonly change: (value: string) => void;
  /** Whether it is a password. */
  readonly secret?: boolean;
}

/** A line of text. */
export function PlainField({ label, hint, flaw, change, secret = false, ...more }: PlainFieldProps) {
  const id = useId();
  const input = {
    ...more,
    id,
    'aria-invalid': flaw !== undefined,
    'aria-describedby': `${id}-hint ${id}-flaw`,
    onInput: ({ currentTarget: { value } }: TargetedEvent<HTMLInputElement>) => change(value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {secret ? <input {...input} type="password" /> : <input {...input} type="text" />}
      <Below id={id} hint={hint} flaw={flaw} />
    </div>
  );
}

export function TextField({ draft, pointer, ...field }: DraftFieldProps & InputProps) {
  return (
    <PlainField
      {...field}
      flaw={draft.flawAt(pointer)}
      value={String(draft.get(pointer) ?? '')}
      change={(value) => draft.set(pointer, value)}
    />
  );
}

interface NumberFieldProps extends DraftFieldProps {
  /** After the field: `seconds`. */
  readonly unit: string;
  /** Whether the field may be empty; the part is then left out. */
  readonly optional?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly 'aria-label'?: string;
}

/** A number. What is none is sent as null, for the recorder to say what it expects. */
export function NumberField({ draft, pointer, unit, optional = false, ...field }: NumberFieldProps) {
  const { label, hint, ...input } = field;
  const id = useId();
  const flaw = draft.flawAt(pointer);
  const value = draft.get(pointer);
  const [typed, setTyped] = useState('');
  // As it was typed, `1.50`, while that is what it says.
  const text =
    typeof value !== 'number' ? '' : Number(typed) === value && typed !== '' ? typed : String(value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class="measure">
        <input
          type="number"
          step="any"
          inputMode="decimal"
          {...input}
          id={id}
          value={text}
          aria-invalid={flaw !== undefined}
          aria-describedby={`${id}-unit ${id}-hint ${id}-flaw`}
          onInput={({ currentTarget: { value: input, valueAsNumber: number } }) => {
            setTyped(input);
            draft.set(pointer, Number.isFinite(number) ? number : optional ? undefined : null);
          }}
        />
        <span id={`${id}-unit`}>{unit}</span>
      </span>
      <Below id={id} hint={hint} flaw={flaw} />
    </div>
  );
}

export interface PlainSwitchProps extends FieldProps {
  readonly checked: boolean;
  readonly change: (checked: boolean) => void;
}

export function PlainSwitch({ label, hint, flaw, checked, change }: PlainSwitchProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="switch">
        <input
          type="checkbox"
          checked={checked}
          aria-invalid={flaw !== undefined}
          aria-describedby={`${id}-hint ${id}-flaw`}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
        {label}
      </label>
      <Below id={id} hint={hint} flaw={flaw} />
    </div>
  );
}

export function SwitchField({ draft, pointer, ...field }: DraftFieldProps) {
  return (
    <PlainSwitch
      {...field}
      flaw={draft.flawAt(pointer)}
      checked={draft.get(pointer) === true}
      change={(checked) => draft.set(pointer, checked)}
    />
  );
}

interface ChoiceProps<Value extends string> {
  readonly legend: string;
  readonly value: Value | undefined;
  readonly choices: Readonly<Record<Value, { readonly label: string; readonly hint?: string }>>;
  readonly change: (value: Value) => void;
}

/** One of a few, each with a line that explains it. */
export function Choice<Value extends string>({ legend, value, choices, change }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {(Object.keys(choices) as Value[]).map((one) => (
        <label key={one}>
          <input type="radio" name={name} value={one} checked={one === value} onChange={() => change(one)} />
          <span>
            {choices[one].label}
            {choices[one].hint && <small class="hint">{choices[one].hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface BelowProps {
  readonly id: string;
  readonly hint: ComponentChildren;
  readonly flaw: string | undefined;
}

function Below({ id, hint, flaw }: BelowProps) {
  return (
    <>
      {hint !== undefined && (
        <small class="hint" id={`${id}-hint`}>
          {hint}
        </small>
      )}
      <small class="flaw" id={`${id}-flaw`} role="alert">
        {flaw}
      </small>
    </>
  );
}
