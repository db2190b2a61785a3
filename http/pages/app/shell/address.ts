import { signal } from '@preact/signals';
import { underBase, withoutBase } from '../data/under-base.ts';

/** The address of the page that is shown, as the recorder knows it. */
export const address = signal(ofRecorder(location.href));

/** Whether the page may be left: asks its viewer if something would be lost. */
let mayLeave: (() => boolean) | undefined;

/** Has `ask` called before another page is shown; it returns whether it may be. @returns a function that ends it. */
export function guardLeaving(ask: () => boolean): () => void {
  mayLeave = ask;
  return () => {
    if (mayLeave === ask) mayLeave = undefined;
  };
}

/** @param seen as this browser sees it: below the base path. */
function ofRecorder(seen: string): URL {
  const shown = new URL(seen);
  shown.pathname = withoutBase(shown.pathname);
  return shown;
}

/** @returns as this browser has to see it. */
function seenBy({ pathname, search, hash }: URL): string {
  return underBase(pathname + search + hash);
}

/** Shows another page of ours. `replace`: without a new entry in the browser's history. */
export function go(target: string, { replace = false } = {}): void {
  const next = new URL(target, address.value);
  if (next.href === address.value.href) return;
  if (mayLeave?.() === false) return;
  if (replace) history.replaceState(null, '', seenBy(next));
  else history.pushState(null, '', seenBy(next));
  const isOtherPage = next.pathname !== address.value.pathname;
  address.value = next;
  if (isOtherPage) scrollTo(0, 0);
}

/** Links marked `data-page` change the page without loading the document again. */
export function followLinks(): void {
  addEventListener('popstate', () => {
    if (mayLeave?.() === false) {
      history.pushState(null, '', seenBy(address.value));
      return;
    }
    address.value = ofRecorder(location.href);
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element && event.target.closest('a[data-page]');
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    go(ofRecorder(link.href).href);
  });
}
