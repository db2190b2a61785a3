import type { MachineReport } from '../../../../../bus/nats/control/control-messages.ts';
import { usePolled } from '../../data/polled.ts';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import type { Draft } from '../form/draft.ts';

const intervalMs = 10_000;

/** Which machines of the cluster reach the camera; nothing where there is one machine. */
export function MachineFields({ draft }: { readonly draft: Draft }) {
  const heard = usePolled<readonly MachineReport[]>('/api/machines', intervalMs).value.value ?? [];
  if (heard.length === 0) return null;
  const chosen = (draft.get('/machines') ?? []) as readonly string[];
  // Those that only vote record nothing; names that are in the cluster no longer can be taken away.
  const recorders = heard.filter(({ capacity }) => capacity !== 0).map(({ name }) => name);
  const names = [...new Set([...recorders, ...chosen])];
  const choose = (name: string, isChosen: boolean) => {
    const now = names.filter((one) => (one === name ? isChosen : chosen.includes(one)));
    draft.set('/machines', now.length === 0 ? undefined : now);
  };
  return (
    <fieldset class="choice">
      <legend>{say(cameraTexts.machines)}</legend>
      <small class="hint">{say(cameraTexts.machinesHint)}</small>
      {names.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={({ currentTarget }) => choose(name, currentTarget.checked)}
          />
          <span class="name">
            {name}
            {!heard.some((one) => one.name === name) && (
              <small class="hint">{say(cameraTexts.machineUnknown)}</small>
            )}
          </span>
        </label>
      ))}
      <small class="flaw" role="alert">
        {draft.flawAt('/machines')}
      </small>
    </fieldset>
  );
}
