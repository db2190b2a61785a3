import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../../../../../store/base/json.ts';
import { getJson } from '../../data/request.ts';
import { Notice } from '../../shell/notice.tsx';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import { shellTexts } from '../../texts/shell-texts.ts';
import { attempt, Draft } from '../form/draft.ts';
import type { DetectorKind } from './detector-fields.tsx';
import { MonitorForm } from './monitor-form.tsx';
import { newMonitor } from './new-monitor.ts';

interface Loaded {
  readonly draft: Draft;
  readonly detectors: readonly DetectorKind[];
  readonly taken: readonly string[];
}

/** Loads what is needed to edit a monitor. @param id empty for a new one. */
export function MonitorEditor({ id }: { readonly id: string }) {
  const [loaded, setLoaded] = useState<Loaded | 'unknown'>();
  const [problem, setProblem] = useState<string>();
  const load = async () => {
    const failure = await attempt(async () => {
      const [all, detectors] = await Promise.all([
        getJson<Readonly<Record<string, JsonObject>>>('/api/monitors'),
        getJson<readonly DetectorKind[]>('/api/detectors'),
      ]);
      const found = id === '' ? newMonitor : all[id];
      const taken = Object.keys(all);
      // What was typed meanwhile stays.
      const isEdited = (before: Loaded | 'unknown' | undefined) =>
        typeof before === 'object' && before.draft.get('/id') === id && before.draft.isChanged.value;
      const next = found ? { draft: new Draft(found), detectors, taken } : 'unknown';
      setLoaded((before) => (isEdited(before) ? before : next));
    });
    setProblem(failure?.message);
  };
  useEffect(() => void load(), [id]);
  if (loaded === 'unknown') {
    return (
      <Notice state="failed" title={say(cameraTexts.unknown)}>
        <a class="button" href="/settings" data-page>
          {say(cameraTexts.list)}
        </a>
      </Notice>
    );
  }
  if (loaded) return <MonitorForm key={loaded.draft} {...loaded} isNew={id === ''} reload={load} />;
  if (!problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
  return (
    <Notice state="failed" title={say(settingsTexts.failed)}>
      <p>{problem}</p>
    </Notice>
  );
}
