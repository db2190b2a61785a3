import { useEffect, useRef, useState } from 'preact/hooks';
import type { JsonObject } from '../../../../../store/base/json.ts';
import { say } from '../../texts/say.ts';
import { clock, dayName, shortTime } from '../../texts/times.ts';
import { triggerTexts } from '../../texts/zone-texts.ts';
import { attempt, type Draft } from '../form/draft.ts';
import { zoneName } from '../zones/zones.ts';
import { motionOutcomes } from './motion-outcomes.ts';
import { objectOutcomes } from './object-outcomes.ts';
import { type FoundEvents, storedEvents } from './stored-events.ts';
import type { PageEvent, TriggerOutcome } from './trigger-outcome.ts';

interface ViewProps {
  readonly draft: Draft;
  readonly monitorID: string;
}

interface Fetched {
  readonly objects: FoundEvents;
  readonly motion: FoundEvents;
}

const dayUs = 86_400e6;
const maxPictures = 20;
/** Of the labels that one request may name. */
const maxLabels = 100;

/** What the last 24 hours would have triggered with the settings as they are in the form. */
export function TriggerView({ draft, monitorID }: ViewProps) {
  const [fetched, setFetched] = useState<Fetched>();
  const [state, setState] = useState<'ready' | 'busy' | { readonly problem: string }>('ready');
  const last = useRef<AbortController>(undefined);
  useEffect(() => () => last.current?.abort(), []);
  const saved = draft.saved;
  const now = draft.value.value;
  if (![saved, now].some((monitor) => isOn(monitor, 'motion') || isOn(monitor, 'tflite'))) return null;
  const load = async () => {
    const aborter = new AbortController();
    last.current?.abort();
    last.current = aborter;
    setState('busy');
    const start = Math.floor(Date.now() * 1000 - dayUs);
    const fetchOf = (labels: readonly string[]) =>
      labels.length === 0
        ? { events: [], since: start, isPart: false }
        : storedEvents(monitorID, labels, start, aborter.signal);
    const failure = await attempt(async () => {
      const [objects, motion] = [await fetchOf(labelsOf(saved, now)), await fetchOf(zonesOf(saved))];
      setFetched({ objects, motion });
    }).catch((error: unknown) => {
      if (!aborter.signal.aborted) throw error;
    });
    if (!aborter.signal.aborted) setState(failure ? { problem: failure.message } : 'ready');
  };
  return (
    <section class="card triggers">
      <h3>{say(triggerTexts.title)}</h3>
      <p class="hint">{say(triggerTexts.lead)}</p>
      <button type="button" aria-disabled={state === 'busy'} onClick={() => void load()}>
        {say(fetched ? triggerTexts.again : triggerTexts.compare)}
      </button>
      <div role="status">
        {state === 'busy' && <p class="quiet">{say(triggerTexts.loading)}</p>}
        {typeof state === 'object' && <p class="bad">{state.problem}</p>}
      </div>
      {fetched && <Comparison {...fetched} saved={saved} draft={now} />}
    </section>
  );
}

interface ComparisonProps extends Fetched {
  readonly saved: JsonObject;
  readonly draft: JsonObject;
}

function Comparison({ objects, motion, saved, draft }: ComparisonProps) {
  const outcomes = [
    ...motionOutcomes(motion.events, section(saved, 'motion'), section(draft, 'motion')),
    ...objectOutcomes(objects.events, section(saved, 'tflite'), section(draft, 'tflite')),
  ];
  const has = (certainty: TriggerOutcome['certainty']) => outcomes.some((one) => one.certainty === certainty);
  const part = [objects, motion].find(({ isPart }) => isPart);
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">{say(triggerTexts.what)}</th>
            <th scope="col">{say(triggerTexts.was)}</th>
            <th scope="col">{say(triggerTexts.would)}</th>
          </tr>
        </thead>
        <tbody>
          {outcomes.map((one) => (
            <tr key={`${one.label} ${one.isRemoved}`} data-label={one.label}>
              <th scope="row">{nameOf(one)}</th>
              <td>{one.triggers.length}</td>
              <td>{wouldWords(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {has('least') && <p class="hint">{say(triggerTexts.leastHint)}</p>}
      {has('unknown') && <p class="hint">{say(triggerTexts.unknownHint)}</p>}
      {part && <p class="warning">{say(triggerTexts.part, { time: shortTime(part.since) })}</p>}
      <Pictures outcomes={outcomes} />
    </>
  );
}

/** Those that would be missing come first. */
function Pictures({ outcomes }: { readonly outcomes: readonly TriggerOutcome[] }) {
  const all = outcomes.flatMap((one) =>
    one.triggers.map((trigger) => ({ ...trigger, name: nameOf(one), isKnown: one.certainty !== 'unknown' })),
  );
  const shown = all
    .filter(({ event, isKnown }) => isKnown && pictureOf(event) !== undefined)
    .sort((one, other) => Number(one.stays) - Number(other.stays) || other.event.time - one.event.time)
    .slice(0, maxPictures);
  if (shown.length === 0) return null;
  return (
    <ul class="trigger-pictures" aria-label={say(triggerTexts.pictures)}>
      {shown.map(({ event, stays, name }) => (
        <li key={`${name} ${event.id}`} data-stays={stays}>
          <img src={pictureOf(event)} alt="" loading="lazy" width="160" height="90" />
          <strong>{say(stays ? triggerTexts.stays : triggerTexts.goes)}</strong>
          <span>{name}</span>
          <span class="quiet">
            {dayName(event.time)}, {clock(event.time)}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The detector's snapshot of an object, or the frame from the recording. */
function pictureOf({ id, time, snapshot, recording, detections }: PageEvent): string | undefined {
  const isObject = detections.some(({ object }) => object !== undefined);
  if (isObject && snapshot) return `/api/event/${id}/snapshot.jpeg`;
  return recording === null ? undefined : `/api/recording/${recording}/thumbnail.jpeg?time=${time}`;
}

function nameOf({ label, isRemoved }: TriggerOutcome): string {
  const [, index] = /^zone(\d+)$/.exec(label) ?? [];
  const name = index === undefined ? label : zoneName(Number(index));
  return isRemoved ? say(triggerTexts.removed, { name }) : name;
}

function wouldWords({ certainty, triggers }: TriggerOutcome): string {
  const count = triggers.filter(({ stays }) => stays).length;
  if (certainty === 'unknown') return say(triggerTexts.unknown);
  return certainty === 'least' ? say(triggerTexts.least, { count }) : String(count);
}

function section(monitor: JsonObject, name: string): JsonObject | undefined {
  const found = monitor[name];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : undefined;
}

const isOn = (monitor: JsonObject, name: string) => section(monitor, name)?.['enable'] === true;

/** Labels of objects, as they were and as they would be. */
function labelsOf(...monitors: readonly JsonObject[]): string[] {
  const thresholds = monitors.flatMap((monitor) =>
    Object.keys(section(monitor, 'tflite')?.['thresholds'] ?? {}),
  );
  return [...new Set(thresholds)].slice(0, maxLabels);
}

function zonesOf(monitor: JsonObject): string[] {
  const zones = section(monitor, 'motion')?.['zones'];
  return Array.isArray(zones) ? zones.map((_, index) => `zone${index}`) : [];
}
