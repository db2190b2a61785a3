import { useEffect, useRef } from 'preact/hooks';
import { logTexts } from '../texts/log-texts.ts';
import { say } from '../texts/say.ts';
import { exactTime, fullTime } from '../texts/times.ts';
import type { LogView } from './log-view.ts';

/** Older entries are loaded before the end of the list is reached. */
const ahead = '600px';

export function LogList({ view }: { readonly view: LogView }) {
  const end = useRef<HTMLParagraphElement>(null);
  const entries = view.entries.value ?? [];
  useEffect(() => {
    const element = end.current;
    if (!element) return;
    // Made anew after each page: the end may still be in sight.
    const watch = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void view.loadOlder();
      },
      { rootMargin: ahead },
    );
    watch.observe(element);
    return () => watch.disconnect();
  }, [view, entries.length]);
  return (
    <>
      <ol class="log">
        {entries.map(({ time, level, src, monitorID, machine, msg }) => (
          <li key={`${time}@${machine}`} data-level={level}>
            <time dateTime={new Date(time / 1000).toISOString()} title={fullTime(time)}>
              {exactTime(time)}
            </time>
            <span class="level">{level}</span>
            <span class="from">{[src, monitorID, machine].filter(Boolean).join(' · ')}</span>
            <span class="message">{msg}</span>
          </li>
        ))}
      </ol>
      <p class="status" ref={end} role="status">
        {say(view.isComplete.value ? logTexts.beginning : logTexts.more)}
      </p>
    </>
  );
}
