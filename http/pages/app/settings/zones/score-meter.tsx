import { say } from '../../texts/say.ts';
import { percent } from '../../texts/times.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';

interface MeterProps {
  readonly score: { readonly last: number; readonly highest: number } | undefined;
  readonly min: number;
  readonly max: number;
}

/** Small scores matter most: 1 % is at a tenth of the width, 25 % at half. */
const place = (score: number) => Math.sqrt(Math.min(100, Math.max(0, score))) * 10;

/** The score of a zone now and its highest of the last seconds, beside its thresholds. */
export function ScoreMeter({ score, min, max }: MeterProps) {
  const triggers = score !== undefined && score.highest > min && (score.highest < max || max >= 100);
  const words = score
    ? say(zoneTexts.score, { last: percent(score.last), highest: percent(score.highest) })
    : say(zoneTexts.noScore);
  return (
    <div class="score" data-triggers={triggers}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="ground" width="100" height="6" />
        <rect class="counts" x={place(min)} width={Math.max(0, place(max) - place(min))} height="6" />
        {score && <rect class="last" y="1.5" width={place(score.last)} height="3" />}
        {score && <rect class="highest" x={place(score.highest) - 0.4} width="0.8" height="6" />}
      </svg>
      <span>
        {words}
        {triggers && <strong> {say(zoneTexts.triggers)}</strong>}
      </span>
    </div>
  );
}
