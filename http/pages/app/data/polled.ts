import { type ReadonlySignal, signal } from '@preact/signals';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { getJson, RequestFailure } from './request.ts';

/** The newest answer, if there was one, and the failure of the last request, if it failed. */
export interface Polled<Answer> {
  readonly value?: Answer;
  readonly problem?: string;
}

/**
 * Asks again and again, as long as the page is on the screen. An answer stays while later requests fail.
 *
 * @param version another one asks at once.
 * @param first an answer that is there already; the first request is made after the interval.
 */
export function usePolled<Answer>(
  path: string,
  intervalMs: number,
  version = 0,
  first?: Answer,
): ReadonlySignal<Polled<Answer>> {
  const polled = useMemo(() => signal<Polled<Answer>>(first === undefined ? {} : { value: first }), [path]);
  // Not after the first paint, which on a slow device is some 0.2 s later.
  useLayoutEffect(() => {
    const aborter = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      clearTimeout(timer);
      try {
        polled.value = { value: await getJson<Answer>(path, aborter.signal) };
      } catch (error) {
        if (aborter.signal.aborted) return;
        if (!(error instanceof RequestFailure)) throw error;
        polled.value = { ...polled.value, problem: error.message };
      }
      if (!document.hidden) timer = setTimeout(() => void ask(), intervalMs);
    };
    const wake = () => {
      if (!document.hidden) void ask();
    };
    if (first !== undefined && polled.value.value === first) timer = setTimeout(wake, intervalMs);
    else void ask();
    document.addEventListener('visibilitychange', wake);
    return () => {
      aborter.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [path, intervalMs, version, polled]);
  return polled;
}
