import { useEffect, useState } from 'preact/hooks';
import { RequestFailure } from '../data/request.ts';

/** Recordings or occurrences in one answer: at most 64 KB. */
export const pageLength = 150;

interface OlderPages<Item> {
  /** Those of the first page, and older ones. */
  readonly items: readonly Item[];
  /** Asks for one more page; undefined if there is none. */
  readonly more: (() => void) | undefined;
  readonly isBusy: boolean;
  readonly problem: string | undefined;
}

/**
 * The pages of a list after its first one, as many as were asked for. They are read again when the first one ends elsewhere,
 * because something new has come or something was deleted.
 *
 * @param keyOf an item's own text. @param ask for the page after an item. @param version another one reads them again.
 */
export function useOlderPages<Item>(
  first: readonly Item[],
  keyOf: (item: Item) => string,
  ask: (last: Item) => Promise<readonly Item[]>,
  version = 0,
): OlderPages<Item> {
  const [pages, setPages] = useState(0);
  const [older, setOlder] = useState<readonly Item[]>([]);
  const [isEnd, setEnd] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const last = first.at(-1);
  useEffect(() => {
    if (pages === 0) return;
    let isGone = false;
    const read = async () => {
      const found: Item[] = [];
      let [from, length] = [last, first.length];
      for (let page = 0; page < pages && from !== undefined && length >= pageLength; page += 1) {
        const next = await ask(from);
        found.push(...next);
        [from, length] = [next.at(-1), next.length];
        if (isGone) return;
      }
      setOlder(found);
      setEnd(length < pageLength);
      setProblem(undefined);
    };
    setBusy(true);
    read()
      .catch((error: unknown) => {
        if (!(error instanceof RequestFailure)) throw error;
        if (!isGone) setProblem(error.message);
      })
      .finally(() => {
        if (!isGone) setBusy(false);
      });
    return () => {
      isGone = true;
    };
  }, [pages, last && keyOf(last), version]);
  const items = new Map([...first, ...older].map((item) => [keyOf(item), item]));
  const hasMore = first.length >= pageLength && !isEnd;
  return {
    items: [...items.values()],
    more: hasMore ? () => setPages((before) => (isBusy ? before : before + 1)) : undefined,
    ...{ isBusy, problem },
  };
}
