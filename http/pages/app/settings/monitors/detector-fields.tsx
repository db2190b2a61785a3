import type { JsonObject } from '../../../../../store/base/json.ts';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import type { Draft } from '../form/draft.ts';
import { NumberField, PlainSwitch, SwitchField, TextField } from '../form/form-fields.tsx';
import { LabelNumbers } from '../form/label-numbers.tsx';

/** A detector that monitors may have, as `GET /api/detectors` has it. */
export interface DetectorKind {
  readonly name: string;
  readonly title: string;
  /** Its section of a monitor, when it is switched on for the first time. */
  readonly defaults: JsonObject;
}

interface DetectorFieldsProps {
  readonly draft: Draft;
  readonly detectors: readonly DetectorKind[];
}

/** What is looked for in the pictures. */
export function DetectorFields({ draft, detectors }: DetectorFieldsProps) {
  return (
    <section class="card">
      <h3>{say(cameraTexts.detection)}</h3>
      {detectors.length === 0 && <p class="quiet">{say(cameraTexts.noDetectors)}</p>}
      {detectors.map((detector) => (
        <OneDetector key={detector.name} draft={draft} detector={detector} />
      ))}
    </section>
  );
}

function OneDetector({ draft, detector }: { readonly draft: Draft; readonly detector: DetectorKind }) {
  const { name, title, defaults } = detector;
  const enabled = draft.get(`/${name}/enable`) === true;
  const known = name === 'motion' || name === 'tflite' ? name : undefined;
  return (
    <div class="detector">
      <PlainSwitch
        label={known ? say(cameraTexts[known]) : title}
        hint={known && say(cameraTexts[`${known}Hint`])}
        checked={enabled}
        change={(on) => {
          if (draft.get(`/${name}`) === undefined) draft.set(`/${name}`, { ...defaults, enable: on });
          else draft.set(`/${name}/enable`, on);
        }}
      />
      {enabled && (
        <div class="detector-more">
          {name === 'tflite' && <Thresholds draft={draft} />}
          <div class="pair">
            {'duration' in defaults && (
              <NumberField
                draft={draft}
                pointer={`/${name}/duration`}
                label={say(cameraTexts.duration)}
                unit={say(cameraTexts.seconds)}
                min={0}
              />
            )}
            {'feedRate' in defaults && (
              <NumberField
                draft={draft}
                pointer={`/${name}/feedRate`}
                label={say(cameraTexts.feedRate)}
                hint={say(cameraTexts.feedRateHint)}
                unit={say(cameraTexts.perSecond)}
                min={0}
              />
            )}
          </div>
          {name === 'tflite' && <ObjectFields draft={draft} />}
        </div>
      )}
    </div>
  );
}

function ObjectFields({ draft }: { readonly draft: Draft }) {
  return (
    <>
      <SwitchField
        draft={draft}
        pointer="/tflite/useSubStream"
        label={say(cameraTexts.useSubStream)}
        hint={say(cameraTexts.useSubStreamHint)}
      />
      <PlainSwitch
        label={say(cameraTexts.whileMotion)}
        hint={say(cameraTexts.whileMotionHint)}
        flaw={draft.flawAt('/tflite/whileMotion')}
        // True if absent.
        checked={draft.get('/tflite/whileMotion') !== false}
        change={(only) => draft.set('/tflite/whileMotion', only)}
      />
      <TextField
        draft={draft}
        pointer="/tflite/detectorName"
        label={say(cameraTexts.detectorName)}
        hint={say(cameraTexts.detectorNameHint)}
        maxLength={64}
        spellcheck={false}
      />
    </>
  );
}

/** Labels that nearly every model has. */
const usualLabels = ['person', 'car', 'bicycle', 'motorcycle', 'bus', 'truck', 'bird', 'cat', 'dog', 'horse'];

/** For a label that is added, in percent. */
const usualThreshold = 50;

function Thresholds({ draft }: { readonly draft: Draft }) {
  return (
    <LabelNumbers
      draft={draft}
      pointer="/tflite/thresholds"
      legend={say(cameraTexts.thresholds)}
      unit={say(cameraTexts.percent)}
      max={100}
      usual={usualThreshold}
      proposed={usualLabels}
      labelName={say(cameraTexts.label)}
      addName={say(cameraTexts.addLabel)}
      nameOf={(label) => say(cameraTexts.thresholdOf, { label })}
      removeNameOf={(label) => say(cameraTexts.removeLabel, { label })}
    />
  );
}
