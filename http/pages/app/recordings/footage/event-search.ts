import { getJson } from '../../data/request.ts';
import { recordingTexts } from '../../texts/recording-texts.ts';
import { say } from '../../texts/say.ts';
import { type DetectedEvent, kindOf, motion, type Occurrence, occurrencesOf, pauseUs } from './occurrence.ts';

/** Cameras and labels; empty means all. */
export interface EventChoice {
  readonly monitors: readonly string[];
  readonly label: string;
}

const pageSize = 500;
/** Occurrences are played from a little before they begin. */
export const leadUs = 3e6;
/** One that begins within this time of where the player would be is the one that it shows. */
const sameUs = 1e6;
const maxPages = 5;

export const labelName = (label: string) => (kindOf(label) === motion ? say(recordingTexts.motion) : label);

/** Numbers of zones in a filter by motion. */
const maxZones = 32;

/** The parameters of `/api/event/query` for a choice. */
export function eventQuery({ monitors, label }: EventChoice, limit = pageSize): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  if (monitors.length > 0) query.set('monitors', monitors.join(','));
  const zones = Array.from({ length: maxZones }, (_, index) => `zone${index}`);
  if (label) query.set('labels', label === motion ? zones.join(',') : label);
  return query;
}

/**
 * The next occurrence after a time at which a player is, or the one before.
 *
 * @throws {RequestFailure}
 */
export async function neighbour(
  choice: EventChoice,
  time: number,
  direction: 1 | -1,
): Promise<Occurrence | undefined> {
  const border = time + leadUs + direction * sameUs;
  let from = Math.round(direction > 0 ? time - pauseUs : border);
  for (let page = 0; page < maxPages; page += 1) {
    const query = eventQuery(choice);
    query.set('order', direction > 0 ? 'oldest' : 'newest');
    query.set(direction > 0 ? 'start' : 'end', String(Math.max(0, from)));
    const events = await getJson<DetectedEvent[]>(`/api/event/query?${query}`);
    const found = occurrencesOf(events);
    const beyond = found.filter(({ start }) => direction * (start - border) > 0);
    const nearest = direction > 0 ? beyond.at(-1) : beyond[0];
    if (nearest || events.length < pageSize) return nearest;
    from = (events.at(-1)?.time ?? from) - direction * pauseUs;
  }
  return undefined;
}
