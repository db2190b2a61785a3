import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ScoreAnswer, ScoreQuestion } from '../../../../../bus/messages.ts';
import { change } from '../../data/change.ts';
import { attempt } from '../form/draft.ts';

export interface ZoneScores {
  readonly isRunning: boolean;
  /** In the order of the zones. Undefined while nothing is known of them as they are now. */
  readonly scores: readonly ({ readonly last: number; readonly highest: number } | undefined)[];
}

const intervalMs = 500;
/** So many answers back the highest score counts: ten seconds. */
const remembered = 20;

/** Asks for the scores of zones as they are drawn, while the page is on the screen. */
export function useZoneScores(
  monitorID: string,
  zones: ScoreQuestion['zones'],
): ReadonlySignal<ZoneScores | undefined> {
  const known = useSignal<ZoneScores | undefined>(undefined);
  const body = JSON.stringify({ id: monitorID, zones });
  useEffect(() => {
    const aborter = new AbortController();
    let answers: ScoreAnswer['scores'][] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (!document.hidden) {
        const failure = await attempt(async () => {
          const response = await change('POST', '/api/monitor/scores', JSON.parse(body), {
            signal: aborter.signal,
          });
          const { isRunning, scores } = (await response.json()) as ScoreAnswer;
          if (scores.length > 0) answers = [...answers, scores].slice(-remembered);
          known.value = {
            isRunning,
            scores: scores.map(({ last }, index) => ({
              last,
              highest: Math.max(...answers.map((each) => each[index]?.peak ?? 0)),
            })),
          };
        }).catch((error: unknown) => {
          if (!aborter.signal.aborted) throw error;
        });
        if (failure) known.value = undefined;
      }
      if (!aborter.signal.aborted) timer = setTimeout(() => void ask(), intervalMs);
    };
    void ask();
    return () => {
      aborter.abort();
      clearTimeout(timer);
    };
  }, [body, known]);
  return known;
}
