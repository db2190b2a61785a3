import { useEffect, useRef, useState } from 'preact/hooks';
import type { SourceTest } from '../../../../request/source-test-answer.ts';
import { change } from '../../data/change.ts';
import { RequestFailure } from '../../data/request.ts';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import type { Draft } from '../form/draft.ts';

type Trial =
  | { readonly state: 'running'; readonly aborter: AbortController }
  | { readonly state: 'done'; readonly answer: SourceTest }
  | { readonly state: 'failed'; readonly sentence: string };

/** Beyond it, in seconds, live view and playback begin late. */
const longGroupSeconds = 4;

/** Plays the source as it is typed, without saving anything, and shows what it offers. */
export function SourceTrial({ draft }: { readonly draft: Draft }) {
  const [trial, setTrial] = useState<Trial>();
  const running = trial?.state === 'running' ? trial.aborter : undefined;
  const last = useRef<AbortController>(undefined);
  useEffect(() => () => last.current?.abort(), []);
  const run = async () => {
    if (running) return;
    const aborter = new AbortController();
    last.current = aborter;
    setTrial({ state: 'running', aborter });
    const { id, source, sourcertsp, sourcefile, sourcetest } = draft.value.value;
    try {
      const asked = { ...(id !== '' && { id }), source, sourcertsp, sourcefile, sourcetest };
      const response = await change('POST', '/api/monitor/test', asked, { signal: aborter.signal });
      setTrial({ state: 'done', answer: (await response.json()) as SourceTest });
    } catch (error) {
      if (aborter.signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      if (error.pointer) draft.refuse(error);
      setTrial({ state: 'failed', sentence: error.message });
    }
  };
  return (
    <section class="card trial">
      <div class="row">
        <button type="button" aria-disabled={running !== undefined} onClick={() => void run()}>
          {say(cameraTexts.try)}
        </button>
        {running && (
          <button
            type="button"
            onClick={() => {
              running.abort();
              setTrial(undefined);
            }}
          >
            {say(settingsTexts.cancel)}
          </button>
        )}
        <small class="hint">{say(cameraTexts.tryHint)}</small>
      </div>
      <div role="status">
        {trial?.state === 'running' && <Progress />}
        {trial?.state === 'failed' && <p class="bad">{trial.sentence}</p>}
        {trial?.state === 'done' && <Found answer={trial.answer} />}
      </div>
    </section>
  );
}

function Progress() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="row">
      <span class="spinner" aria-hidden="true" />
      <span aria-live="off">{say(cameraTexts.trying, { seconds })}</span>
    </p>
  );
}

function Found({ answer }: { readonly answer: SourceTest }) {
  const { ok, detail = '', machine, main, sub } = answer;
  return (
    <>
      <p class={ok ? 'good' : 'bad'}>{ok ? say(cameraTexts.works) : say(cameraTexts.worksNot, { detail })}</p>
      {machine !== undefined && <p class="quiet">{say(cameraTexts.triedBy, { machine })}</p>}
      {main && <FoundStream title={say(cameraTexts.mainStream)} stream={main} isMain />}
      {sub && <FoundStream title={say(cameraTexts.subStream)} stream={sub} />}
    </>
  );
}

interface FoundStreamProps {
  readonly title: string;
  readonly stream: NonNullable<SourceTest['main']>;
  readonly isMain?: boolean;
}

function FoundStream({ title, stream, isMain = false }: FoundStreamProps) {
  const { codec, width, height, frameRate, keyFrameDistance } = stream.video;
  const measured = (value: number | null, unit: string) =>
    value === null ? say(cameraTexts.notMeasured) : `${Math.round(value * 10) / 10}${unit}`;
  return (
    <section class="found">
      <h3>{title}</h3>
      {stream.picture === null ? (
        <p class="quiet">{say(cameraTexts.noPicture)}</p>
      ) : (
        <img src={`data:image/jpeg;base64,${stream.picture}`} alt={say(cameraTexts.firstPicture)} />
      )}
      <dl>
        <dt>{say(cameraTexts.codec)}</dt>
        <dd>{codec === 'h264' ? 'H.264' : 'H.265'}</dd>
        <dt>{say(cameraTexts.size)}</dt>
        <dd>
          {width} × {height}
        </dd>
        <dt>{say(cameraTexts.rate)}</dt>
        <dd>{measured(frameRate, '')}</dd>
        <dt>{say(cameraTexts.keyFrames)}</dt>
        <dd>{measured(keyFrameDistance, ' s')}</dd>
        <dt>{say(cameraTexts.audio)}</dt>
        <dd>{stream.audio ?? say(cameraTexts.noAudio)}</dd>
      </dl>
      {(keyFrameDistance ?? 0) > longGroupSeconds && <p class="hint">{say(cameraTexts.longGroups)}</p>}
      {isMain && codec === 'h265' && <p class="hint">{say(cameraTexts.h265)}</p>}
    </section>
  );
}
