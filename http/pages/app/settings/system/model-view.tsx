import type { DetectorReport } from '../../../../../bus/messages.ts';
import { usePolled } from '../../data/polled.ts';
import { say } from '../../texts/say.ts';
import { systemTexts } from '../../texts/settings-texts.ts';
import { Loading } from '../form/loading.tsx';

const intervalMs = 3000;

/** The models that look for objects now, and what runs them. */
export function ModelView() {
  const { value: reports, problem } = usePolled<readonly DetectorReport[]>(
    '/api/health/detectors',
    intervalMs,
  ).value;
  if (!reports) return <Loading problem={problem} />;
  return (
    <section>
      <div class="toolbar">
        <h2>{say(systemTexts.models)}</h2>
      </div>
      <p class="hint">{say(systemTexts.modelsHint)}</p>
      {reports.length === 0 && <p>{say(systemTexts.noModels)}</p>}
      <ul class="things">
        {reports.map(({ monitorID, detector, model, engine, skipped }) => (
          <li key={`${monitorID} ${detector}`}>
            <a href={`/settings?monitor=${monitorID}`} data-page>
              <span class="thing-name">{monitorID}</span>
              <span>{model}</span>
              <span class="quiet">
                {engine} · {say(systemTexts.skipped, { count: skipped })}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
