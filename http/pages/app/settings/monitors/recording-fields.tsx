import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import type { Draft } from '../form/draft.ts';
import { Choice, NumberField, SwitchField } from '../form/form-fields.tsx';
import { LabelNumbers } from '../form/label-numbers.tsx';
import type { DetectorKind } from './detector-fields.tsx';

/** For recordings with a label that is added. */
const usualDays = 30;

interface RecordingFieldsProps {
  readonly draft: Draft;
  readonly detectors: readonly DetectorKind[];
}

/** What is recorded, and how long it is kept. */
export function RecordingFields({ draft, detectors }: RecordingFieldsProps) {
  const always = draft.get('/alwaysRecord') === true;
  const detects = detectors.some(({ name }) => draft.get(`/${name}/enable`) === true);
  return (
    <section class="card">
      <Choice
        legend={say(cameraTexts.when)}
        value={always ? 'always' : 'onEvents'}
        choices={{
          always: { label: say(cameraTexts.always), hint: say(cameraTexts.alwaysHint) },
          onEvents: { label: say(cameraTexts.onEvents), hint: say(cameraTexts.onEventsHint) },
        }}
        change={(chosen) => draft.set('/alwaysRecord', chosen === 'always')}
      />
      {!always && !detects && <p class="warning">{say(cameraTexts.noDetector)}</p>}
      {draft.get('/source') === 'rtsp' && draft.get('/sourcertsp/subStream') && (
        <SwitchField
          draft={draft}
          pointer="/recordSubStream"
          label={say(cameraTexts.recordSub)}
          hint={say(cameraTexts.recordSubHint)}
        />
      )}
      <NumberField
        draft={draft}
        pointer="/videoLength"
        label={say(cameraTexts.videoLength)}
        hint={say(cameraTexts.videoLengthHint)}
        unit={say(cameraTexts.minutes)}
        min={0}
      />
      <fieldset class="group">
        <legend>{say(cameraTexts.keep)}</legend>
        <small class="hint">{say(cameraTexts.keepHint)}</small>
        <div class="pair">
          <NumberField
            draft={draft}
            pointer="/retention/maxDays"
            label={say(cameraTexts.maxDays)}
            hint={say(cameraTexts.maxDaysHint)}
            unit={say(cameraTexts.days)}
            min={0}
            optional
          />
          <NumberField
            draft={draft}
            pointer="/retention/maxGigabytes"
            label={say(cameraTexts.maxGigabytes)}
            hint={say(cameraTexts.maxGigabytesHint)}
            unit={say(cameraTexts.gigabytes)}
            min={0}
            optional
          />
          <NumberField
            draft={draft}
            pointer="/retention/minHours"
            label={say(cameraTexts.minHours)}
            hint={say(cameraTexts.minHoursHint)}
            unit={say(cameraTexts.hours)}
            min={0}
            optional
          />
        </div>
      </fieldset>
      <LabelNumbers
        draft={draft}
        pointer="/retention/events"
        legend={say(cameraTexts.keepEvents)}
        hint={say(cameraTexts.keepEventsHint)}
        unit={say(cameraTexts.days)}
        max={36_500}
        usual={usualDays}
        proposed={Object.keys((draft.get('/tflite/thresholds') ?? {}) as object)}
        labelName={say(cameraTexts.keptLabel)}
        addName={say(cameraTexts.keepLabel)}
        nameOf={(label) => say(cameraTexts.keptDaysOf, { label })}
        removeNameOf={(label) => say(cameraTexts.keepNoLonger, { label })}
      />
    </section>
  );
}
