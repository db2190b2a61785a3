import { say } from '../../texts/say.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';
import type { Draft } from '../form/draft.ts';
import { NumberField, SwitchField } from '../form/form-fields.tsx';
import { usualPolygon } from './polygon-editing.ts';
import { ScoreMeter } from './score-meter.tsx';
import { useZoneScores } from './zone-scores.ts';
import { json, type MotionZone, zoneName, zonesPointer } from './zones.ts';

interface FieldsProps {
  readonly draft: Draft;
  readonly zones: readonly MotionZone[];
  readonly chosen: string | undefined;
  readonly choose: (pointer: string) => void;
  readonly monitorID: string;
}

const maxZones = 64;
/** Of a zone that is added. */
const usual = { enable: true, sensitivity: 8, thresholdMin: 1, thresholdMax: 100 };

/** The zones of motion detection with their scores; the chosen one with its settings. */
export function ZoneFields({ draft, zones, chosen, choose, monitorID }: FieldsProps) {
  const known = useZoneScores(
    monitorID,
    zones.map(({ sensitivity, area }) => ({
      sensitivity: sensitivity ?? 0,
      area: area.map(([x, y]) => [x, y]),
    })),
  ).value;
  const areaOf = (index: number) => `${zonesPointer}/${index}/area`;
  return (
    <>
      <ul class="zone-list">
        {zones.map((zone, index) => {
          const isChosen = chosen === areaOf(index);
          const pointer = `${zonesPointer}/${index}`;
          return (
            <li key={pointer} data-chosen={isChosen}>
              <div class="row">
                <button
                  type="button"
                  aria-expanded={isChosen}
                  class="zone-name"
                  onClick={() => choose(areaOf(index))}
                >
                  {zoneName(index)}
                  {!zone.enable && <span class="quiet"> ({say(zoneTexts.off)})</span>}
                </button>
                <ScoreMeter score={known?.scores[index]} min={zone.thresholdMin} max={zone.thresholdMax} />
              </div>
              {isChosen && (
                <div class="zone-more">
                  <SwitchField draft={draft} pointer={`${pointer}/enable`} label={say(zoneTexts.enable)} />
                  <div class="pair">
                    <NumberField
                      draft={draft}
                      pointer={`${pointer}/sensitivity`}
                      label={say(zoneTexts.sensitivity)}
                      hint={say(zoneTexts.sensitivityHint)}
                      unit="%"
                      min={0}
                      max={100}
                    />
                    <NumberField
                      draft={draft}
                      pointer={`${pointer}/thresholdMin`}
                      label={say(zoneTexts.thresholdMin)}
                      hint={say(zoneTexts.thresholdMinHint)}
                      unit="%"
                      min={0}
                      max={100}
                    />
                    <NumberField
                      draft={draft}
                      pointer={`${pointer}/thresholdMax`}
                      label={say(zoneTexts.thresholdMax)}
                      hint={say(zoneTexts.thresholdMaxHint)}
                      unit="%"
                      min={0}
                      max={100}
                    />
                  </div>
                  <button type="button" onClick={() => draft.set(pointer, undefined)}>
                    {say(zoneTexts.remove, { name: zoneName(index) })}
                  </button>
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {known?.isRunning === false && <p class="hint">{say(zoneTexts.notRunning)}</p>}
      <button
        type="button"
        disabled={zones.length >= maxZones}
        onClick={() => {
          draft.set(zonesPointer, json([...zones, { ...usual, area: usualPolygon }]));
          choose(areaOf(zones.length));
        }}
      >
        {say(zoneTexts.add)}
      </button>
    </>
  );
}
