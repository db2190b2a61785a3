import { pauseUs } from '../../data/occurrence-pause.ts';
import { getJson } from '../../data/request.ts';
import { recordingTexts } from '../../texts/recording-texts.ts';
import { say } from '../../texts/say.ts';
import { type FoundOccurrence, kindOf, motion } from './occurrence.ts';

/** Cameras and a kind of event; empty means all. */
export interface EventChoice {
  readonly monitors: readonly string[];
  readonly label: string;
}

/** Occurrences are played from a little before they begin. */
export const leadUs = 3e6;
/** One that begins within this time of where the player would be is the one that it shows. */
const sameUs = 1e6;
/** Among so many is one that is not the one on the screen. */
const fewOccurrences = 5;
/** Numbers of zones in a filter by motion. */
const maxZones = 32;

export const labelName = (label: string) => (kindOf(label) === motion ? say(recordingTexts.motion) : label);

/** The parameters of `/api/event/occurrences` for a choice. */
export function eventQuery({ monitors, label }: EventChoice, limit: number): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  if (monitors.length > 0) query.set('monitors', monitors.join(','));
  const zones = Array.from({ length: maxZones }, (_, index) => `zone${index}`);
  if (label) query.set('labels', label === motion ? zones.join(',') : label);
  return query;
}

/**
 * The next occurrence after a time at which a player is, or the one before.
 *
 * @throws {RequestFailure} and the signal's reason.
 */
export async function neighbour(
  choice: EventChoice,
  time: number,
  direction: 1 | -1,
  signal?: AbortSignal,
): Promise<FoundOccurrence | undefined> {
  const border = Math.max(0, Math.round(time + leadUs + direction * sameUs));
  const query = eventQuery(choice, fewOccurrences);
  query.set('order', direction > 0 ? 'oldest' : 'newest');
  // One that began a while ago is found with its last events, and goes on.
  if (direction > 0) query.set('start', String(Math.max(0, border - pauseUs)));
  else query.set('end', String(border));
  const found = await getJson<FoundOccurrence[]>(`/api/event/occurrences?${query}`, signal);
  return found.find(({ start }) => direction * (start - border) > 0);
}
