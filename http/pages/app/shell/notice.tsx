import type { ComponentChildren } from 'preact';

interface NoticeProps {
  readonly state: 'busy' | 'empty' | 'failed';
  readonly title: string;
  /** What to do next, or details. */
  readonly children?: ComponentChildren;
}

/** In place of content: it is loading, there is none, or it cannot be had. */
export function Notice({ state, title, children }: NoticeProps) {
  return (
    <div class="notice" data-state={state} role={state === 'failed' ? 'alert' : 'status'}>
      {state === 'busy' && <span class="spinner" aria-hidden="true" />}
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}
