import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { change } from '../../data/change.ts';
import { usePolled } from '../../data/polled.ts';
import { getJson } from '../../data/request.ts';
import { MonitorTile } from '../../live/monitor-tile.tsx';
import { go } from '../../shell/address.ts';
import { Icon } from '../../shell/icons.tsx';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { liveTexts } from '../../texts/live-texts.ts';
import { say } from '../../texts/say.ts';
import { attempt, type Draft } from '../form/draft.ts';
import { EditorForm } from '../form/editor-form.tsx';
import { SaveBar } from '../form/save-bar.tsx';
import { SourceFields } from '../sources/source-fields.tsx';
import { SourceTrial } from '../sources/source-trial.tsx';
import { TriggerView } from '../triggers/trigger-view.tsx';
import { ZoneEditor } from '../zones/zone-editor.tsx';
import { DetectorFields, type DetectorKind } from './detector-fields.tsx';
import { MachineFields } from './machine-fields.tsx';
import { NameFields } from './name-fields.tsx';
import { sentMonitor } from './new-monitor.ts';
import { RecordingFields } from './recording-fields.tsx';
import { StateBadge } from './state-badge.tsx';

const stateIntervalMs = 1000;

/** The monitor that was saved last, for the page that shows it next. */
let justSaved: string | undefined;

interface FormProps {
  readonly draft: Draft;
  readonly detectors: readonly DetectorKind[];
  /** Ids of all monitors. */
  readonly taken: readonly string[];
  readonly isNew: boolean;
  readonly reload: () => Promise<void>;
}

/** All settings of a monitor, and how it is. */
export function MonitorForm({ draft, detectors, taken, isNew, reload }: FormProps) {
  const id = String(draft.get('/id') ?? '');
  const saved = useSignal(!isNew && justSaved === id);
  useEffect(() => {
    justSaved = undefined;
  }, []);

  const save = async () => {
    saved.value = false;
    const failure = await attempt(async () => {
      if (isNew && id in (await getJson<object>('/api/monitors'))) {
        draft.flaw.value = { pointer: '/id', sentence: say(cameraTexts.idTaken) };
        return;
      }
      const edited = draft.value.value;
      await change('PUT', '/api/monitor', sentMonitor(edited, isNew ? undefined : draft.saved));
      // A new one is shown by another form.
      draft.keep(isNew ? undefined : edited);
      justSaved = id;
      if (isNew) go(`/settings?monitor=${id}`, { replace: true });
      else if (!draft.isChanged.value) await reload();
    });
    if (failure) draft.refuse(failure);
  };
  const remove = async () => {
    if (!confirm(say(cameraTexts.deleteSure, { name: String(draft.get('/name')) }))) return;
    const failure = await attempt(() => change('DELETE', `/api/monitor?id=${id}`));
    if (failure) draft.refuse(failure);
    else {
      draft.keep();
      go('/settings');
    }
  };
  return (
    <EditorForm draft={draft} save={save}>
      <div class="toolbar">
        <a class="button icon-button" href="/settings" data-page aria-label={say(cameraTexts.list)}>
          <Icon name="back" />
        </a>
        <h2>{isNew ? say(cameraTexts.add) : String(draft.get('/name'))}</h2>
      </div>
      <div class="editor-columns">
        <div>
          <section class="card">
            <h3>{say(cameraTexts.camera)}</h3>
            <NameFields draft={draft} taken={taken} isNew={isNew} />
            <SourceFields key={draft.resets.value} draft={draft} />
            <MachineFields draft={draft} />
          </section>
          <RecordingFields draft={draft} detectors={detectors} />
          <DetectorFields draft={draft} detectors={detectors} />
          {isNew ? (
            <p class="hint">{say(cameraTexts.zonesLater)}</p>
          ) : (
            <>
              <ZoneEditor draft={draft} monitorID={id} />
              <TriggerView draft={draft} monitorID={id} />
            </>
          )}
        </div>
        <aside>
          {!isNew && <Present id={id} isSaved={saved.value} />}
          <SourceTrial draft={draft} />
          {!isNew && (
            <section class="card">
              <button type="button" class="bad" onClick={() => void remove()}>
                {say(cameraTexts.delete)}
              </button>
              <small class="hint">{say(cameraTexts.deleteHint)}</small>
            </section>
          )}
        </aside>
      </div>
      <SaveBar draft={draft} isNew={isNew} />
    </EditorForm>
  );
}

/** How the stored monitor is now: after saving, one sees it come back. */
function Present({ id, isSaved }: { readonly id: string; readonly isSaved: boolean }) {
  const monitor = usePolled<readonly MonitorSummary[]>(
    '/api/monitor/states',
    stateIntervalMs,
  ).value.value?.find((one) => one.id === id);
  if (!monitor) return null;
  return (
    <section class="card present">
      <p role="status">
        {isSaved && `${say(cameraTexts.comesBack)} `}
        <StateBadge monitor={monitor} />
      </p>
      <MonitorTile
        monitor={monitor}
        link={`/live?monitor=${id}`}
        linkTitle={say(liveTexts.enlarge, { name: monitor.name })}
      />
    </section>
  );
}
