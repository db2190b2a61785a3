import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { Icon } from '../shell/icons.tsx';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { dayLater, today } from './footage/day.ts';
import { labelName } from './footage/event-search.ts';
import { type Place, placeAddress } from './place.ts';

interface FiltersProps {
  readonly place: Place;
  readonly monitors: readonly MonitorSummary[];
  /** Kinds of events that occur. */
  readonly labels: readonly string[];
  show(part: Partial<Place>): void;
}

/** Cameras, kinds of events and the day; each choice is part of the page's address. */
export function PlaceFilters({ place, monitors, labels, show }: FiltersProps) {
  const { monitors: chosen, label, day } = place;
  const dayPlace = (days: number) =>
    placeAddress({ monitors: chosen, label, camera: place.camera, day: dayLater(day, days) });
  const [only] = chosen;
  const several = chosen.length > 1 ? [{ id: chosen.join(), name: nameAll(chosen, monitors) }] : [];
  const kinds = label && !labels.includes(label) ? [...labels, label] : labels;
  return (
    <div class="toolbar">
      <select
        aria-label={say(recordingTexts.monitor)}
        value={chosen.length > 1 ? chosen.join() : (only ?? '')}
        onChange={({ currentTarget: { value } }) =>
          show({ monitors: value ? value.split(',') : [], camera: undefined, time: undefined })
        }
      >
        <option value="">{say(recordingTexts.allMonitors)}</option>
        {[...several, ...monitors].map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      {monitors.length > 2 && <SomeMonitors chosen={chosen} monitors={monitors} show={show} />}
      <select
        aria-label={say(recordingTexts.label)}
        value={label}
        onChange={({ currentTarget: { value } }) => show({ label: value })}
      >
        <option value="">{say(recordingTexts.allLabels)}</option>
        {kinds.map((kind) => (
          <option key={kind} value={kind}>
            {labelName(kind)}
          </option>
        ))}
      </select>
      <div class="row">
        <a
          class="button icon-button"
          href={dayPlace(-1)}
          data-page
          aria-label={say(recordingTexts.dayBefore)}
          title={say(recordingTexts.dayBefore)}
        >
          <Icon name="back" />
        </a>
        <input
          type="date"
          aria-label={say(recordingTexts.day)}
          value={day}
          max={today()}
          onChange={({ currentTarget: { value } }) =>
            value && show({ day: value, span: undefined, time: undefined })
          }
        />
        {day < today() && (
          <a
            class="button icon-button"
            href={dayPlace(1)}
            data-page
            aria-label={say(recordingTexts.dayAfter)}
            title={say(recordingTexts.dayAfter)}
          >
            <Icon name="forward" />
          </a>
        )}
        {place.span && (
          <a class="button" href={placeAddress({ ...place, span: undefined })} data-page>
            {say(recordingTexts.wholeDay)}
          </a>
        )}
      </div>
    </div>
  );
}

function SomeMonitors({
  chosen,
  monitors,
  show,
}: Pick<FiltersProps, 'monitors' | 'show'> & { readonly chosen: readonly string[] }) {
  return (
    <details class="some-monitors">
      <summary class="button">{say(recordingTexts.several)}</summary>
      <fieldset class="menu">
        <legend class="hidden">{say(recordingTexts.several)}</legend>
        {monitors.map(({ id, name }) => (
          <label key={id} class="switch">
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              onChange={({ currentTarget: { checked } }) =>
                show({
                  monitors: monitors
                    .map((one) => one.id)
                    .filter((one) => (one === id ? checked : chosen.includes(one))),
                  camera: undefined,
                })
              }
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function nameAll(ids: readonly string[], monitors: readonly MonitorSummary[]): string {
  return ids.map((id) => monitors.find((one) => one.id === id)?.name ?? id).join(', ');
}
