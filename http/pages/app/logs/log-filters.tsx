import { useEffect, useRef } from 'preact/hooks';
import type { MachineReport } from '../../../../bus/nats/control/control-messages.ts';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { usePolled } from '../data/polled.ts';
import { address, go } from '../shell/address.ts';
import { logTexts } from '../texts/log-texts.ts';
import { say } from '../texts/say.ts';
import { type ChosenEntries, filterAddress, levels, readFilter } from './chosen-entries.ts';

/** What can be chosen changes seldom. */
const choicesIntervalMs = 60_000;
/** A search begins when nothing was typed for so long. */
const typingMs = 300;

interface FiltersProps {
  readonly filter: ChosenEntries;
  /** Sources that occur in the entries. */
  readonly sources: readonly string[];
}

/** Every choice becomes part of the page's address, so that it can be sent to somebody. */
export function LogFilters({ filter, sources }: FiltersProps) {
  const monitors = usePolled<readonly MonitorSummary[]>('/api/monitor/states', choicesIntervalMs).value.value;
  const all = usePolled<readonly MachineReport[]>('/api/machines', choicesIntervalMs).value.value ?? [];
  // One that only votes keeps no log that the others read.
  const machines = all.filter(({ capacity }) => capacity !== 0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const search = useRef<HTMLInputElement>(null);
  // The address may have changed by a link; whoever types has the last word.
  useEffect(() => {
    const field = search.current;
    if (!field || field === document.activeElement) return;
    clearTimeout(timer.current);
    field.value = filter.text;
  }, [filter.text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  // As the address is now: something else may have been chosen while a text was typed.
  const change = (part: Partial<ChosenEntries>) =>
    go(filterAddress({ ...readFilter(address.value.searchParams), ...part }), { replace: true });
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
      <Choice
        title={say(logTexts.source)}
        chosen={filter.source}
        options={sources.map((id) => ({ id, name: id }))}
        choose={(source) => change({ source })}
      />
      <Choice
        title={say(logTexts.monitor)}
        chosen={filter.monitor}
        options={monitors ?? []}
        choose={(monitor) => change({ monitor })}
      />
      {(machines.length > 0 || filter.machine !== '') && (
        <Choice
          title={say(logTexts.machine)}
          chosen={filter.machine}
          options={machines.map(({ name }) => ({ id: name, name }))}
          choose={(machine) => change({ machine })}
        />
      )}
      <label class="search">
        {say(logTexts.text)}
        <input
          ref={search}
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

interface ChoiceProps {
  readonly title: string;
  /** Empty: all of them. */
  readonly chosen: string;
  readonly options: readonly { readonly id: string; readonly name: string }[];
  choose(id: string): void;
}

/** What was chosen can be seen even if there is no such thing now. */
function Choice({ title, chosen, options, choose }: ChoiceProps) {
  const isKnown = chosen === '' || options.some(({ id }) => id === chosen);
  return (
    <label>
      {title}
      <select value={chosen} onChange={({ currentTarget: { value } }) => choose(value)}>
        <option value="">{say(logTexts.any)}</option>
        {(isKnown ? options : [...options, { id: chosen, name: chosen }]).map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
