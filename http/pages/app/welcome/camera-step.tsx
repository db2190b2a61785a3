import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../../../../store/base/json.ts';
import { change } from '../data/change.ts';
import { getJson } from '../data/request.ts';
import { attempt, Draft } from '../settings/form/draft.ts';
import { EditorForm } from '../settings/form/editor-form.tsx';
import { Loading } from '../settings/form/loading.tsx';
import { NameFields } from '../settings/monitors/name-fields.tsx';
import { newMonitor, sentMonitor } from '../settings/monitors/new-monitor.ts';
import { SourceFields } from '../settings/sources/source-fields.tsx';
import { SourceTrial } from '../settings/sources/source-trial.tsx';
import { go } from '../shell/address.ts';
import { cameraTexts } from '../texts/camera-texts.ts';
import { say } from '../texts/say.ts';
import { welcomeTexts } from '../texts/welcome-texts.ts';

type StoredMonitors = Readonly<Record<string, JsonObject>>;

interface FormProps {
  readonly draft: Draft;
  /** Monitors that are there, by id. */
  readonly present: StoredMonitors;
  /** The address of the step after this one. */
  readonly next: string;
}

/** Id of the monitor that the first start makes. */
const demo = 'demo';

/** The first camera: tried, then saved with the usual settings. */
export function CameraStep({ next }: Pick<FormProps, 'next'>) {
  const [loaded, setLoaded] = useState<Omit<FormProps, 'next'>>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    void attempt(async () => {
      const present = await getJson<StoredMonitors>('/api/monitors');
      setLoaded({ present, draft: new Draft(newMonitor) });
    }).then((failure) => setProblem(failure?.message));
  }, []);
  return loaded ? <CameraForm {...loaded} next={next} /> : <Loading problem={problem} />;
}

function CameraForm({ draft, present, next }: FormProps) {
  const flaw = draft.flaw.value;
  const save = async () => {
    const failure = await attempt(async () => {
      if (String(draft.get('/id')) in (await getJson<object>('/api/monitors'))) {
        draft.flaw.value = { pointer: '/id', sentence: say(cameraTexts.idTaken) };
        return;
      }
      await change('PUT', '/api/monitor', sentMonitor(draft.value.value));
      draft.keep();
      go(next);
    });
    if (failure) draft.refuse(failure);
  };
  const others = Object.entries(present).filter(([id]) => id !== demo);
  const names = others.map(([, { name }]) => String(name)).join(', ');
  return (
    <EditorForm draft={draft} save={save}>
      <p>{say(welcomeTexts.cameraLead)}</p>
      {names !== '' && <p>{say(welcomeTexts.cameras, { names })}</p>}
      {demo in present && <p class="hint">{say(welcomeTexts.demo)}</p>}
      <div class="editor-columns">
        <section class="card">
          <NameFields draft={draft} taken={Object.keys(present)} isNew />
          <SourceFields draft={draft} />
        </section>
        <aside>
          <SourceTrial draft={draft} />
        </aside>
      </div>
      <p class="row">
        <button type="submit" class="primary">
          {say(welcomeTexts.saveCamera)}
        </button>
        <a class="button" href={next} data-page>
          {say(names === '' ? welcomeTexts.later : welcomeTexts.next)}
        </a>
      </p>
      <p role="status">{flaw && <span class="bad">{flaw.sentence}</span>}</p>
    </EditorForm>
  );
}
