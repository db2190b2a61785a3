import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Draft } from './draft.ts';
import { useLeaveGuard } from './leave-guard.ts';

interface EditorProps {
  readonly draft: Draft;
  /** Called when the form is sent. */
  save(): Promise<void>;
  readonly isNarrow?: boolean;
  readonly children: ComponentChildren;
}

/** The form of a draft: what is refused gets the focus, and a page with changes is not left by accident. */
export function EditorForm({ draft, save, isNarrow = false, children }: EditorProps) {
  useLeaveGuard(draft);
  const form = useRef<HTMLFormElement>(null);
  const flaw = draft.flaw.value;
  useEffect(() => {
    if (flaw) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [flaw]);
  return (
    <form
      ref={form}
      class={isNarrow ? 'editor narrow' : 'editor'}
      noValidate
      onSubmit={async (event) => {
        event.preventDefault();
        await save();
        requestAnimationFrame(keepFocus);
      }}
    >
      {children}
    </form>
  );
}

/** What was saved is shown in a new form: the keyboard goes on where it was. */
function keepFocus(): void {
  if (document.activeElement !== document.body) return;
  const saved = document.querySelector<HTMLElement>('.save-bar button') ?? document.querySelector('main');
  saved?.focus({ preventScroll: true });
}
