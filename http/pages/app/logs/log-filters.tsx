import { useEffect, useRef } from 'preact/hooks';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { usePolled } from '../data/polled.ts';
import { go } from '../shell/address.ts';
import { logTexts } from '../texts/log-texts.ts';
import { say } from '../texts/say.ts';
import { type ChosenEntries, filterAddress, levels } from './chosen-entries.ts';

const monitorsIntervalMs = 60_000;
/** A search begins when nothing was typed for so long. */
const typingMs = 300;

interface FiltersProps {
  readonly filter: ChosenEntries;
  /** Sources that occur in the entries. */
  readonly sources: readonly string[];
}

/** Every choice becomes part of the page's address, so that it can be sent to somebody. */
export function LogFilters({ filter, sources }: FiltersProps) {
  const monitors = usePolled<readonly MonitorSummary[]>('/api/monitor/states', monitorsIntervalMs).value
    .value;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (part: Partial<ChosenEntries>) =>
    go(filterAddress({ ...filter, ...part }), { replace: true });
  const known = (list: readonly string[], chosen: string) =>
    chosen === '' || list.includes(chosen) ? list : [...list, chosen];
  return (
    <form class="filters" aria-label={say(logTexts.filters)} onSubmit={(event) => event.preventDefault()}>
      <fieldset class="segments">
        <legend class="hidden">{say(logTexts.levels)}</legend>
        {levels.map((level) => (
          <label key={level}>
            <input
              type="checkbox"
              checked={filter.levels.includes(level)}
              onChange={({ currentTarget: { checked } }) =>
                change({
                  levels: levels.filter((one) => (one === level ? checked : filter.levels.includes(one))),
                })
              }
            />
            <span>{say(logTexts[level])}</span>
          </label>
        ))}
      </fieldset>
      <label>
        {say(logTexts.source)}
        <select value={filter.source} onChange={({ currentTarget: { value } }) => change({ source: value })}>
          <option value="">{say(logTexts.any)}</option>
          {known(sources, filter.source).map((source) => (
            <option key={source} value={source}>
              {source}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say(logTexts.monitor)}
        <select
          value={filter.monitor}
          onChange={({ currentTarget: { value } }) => change({ monitor: value })}
        >
          <option value="">{say(logTexts.any)}</option>
          {known(
            (monitors ?? []).map(({ id }) => id),
            filter.monitor,
          ).map((id) => (
            <option key={id} value={id}>
              {monitors?.find((one) => one.id === id)?.name ?? id}
            </option>
          ))}
        </select>
      </label>
      <label class="search">
        {say(logTexts.text)}
        <input
          type="search"
          maxLength={200}
          placeholder={say(logTexts.textHint)}
          defaultValue={filter.text}
          onInput={({ currentTarget: { value } }) => {
            clearTimeout(timer.current);
            timer.current = setTimeout(() => change({ text: value }), typingMs);
          }}
        />
      </label>
    </form>
  );
}
