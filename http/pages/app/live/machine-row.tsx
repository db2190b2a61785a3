import { useState } from 'preact/hooks';
import type { MachineReport } from '../../../../bus/nats/control/control-messages.ts';
import { change } from '../data/change.ts';
import { usePolled } from '../data/polled.ts';
import { RequestFailure } from '../data/request.ts';
import { liveTexts } from '../texts/live-texts.ts';
import { say } from '../texts/say.ts';

const intervalMs = 4000;

/** The machines of the cluster, and what each records. */
export function MachineRow() {
  const { value: machines, problem } = usePolled<readonly MachineReport[]>('/api/machines', intervalMs).value;
  if (!machines) return problem === undefined ? null : <p class="banner">{problem}</p>;
  return (
    <ul class="machines" aria-label={say(liveTexts.machines)}>
      {machines.map((machine) => (
        <li key={machine.name} data-alive={machine.isAlive}>
          <span class="name">{machine.name}</span>
          <span class="quiet">{words(machine)}</span>
          {machine.isWaitedFor && <TakeOver name={machine.name} />}
        </li>
      ))}
    </ul>
  );
}

function words({ isAlive, capacity, owned, provisional }: MachineReport): string {
  if (!isAlive) return say(liveTexts.machineAway);
  if (capacity === 0) return say(liveTexts.machineVotes);
  const count = owned.length + provisional.length;
  return say(count === 1 ? liveTexts.machineCamera : liveTexts.machineCameras, { count });
}

function TakeOver({ name }: { readonly name: string }) {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const takeOver = async () => {
    if (!confirm(say(liveTexts.machineSure, { name }))) return;
    setBusy(true);
    try {
      await change('POST', `/api/machine/off?name=${encodeURIComponent(name)}`);
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class="button" aria-disabled={isBusy} onClick={() => isBusy || void takeOver()}>
        {say(liveTexts.machineTakeOver)}
      </button>
      {problem !== undefined && <span role="alert">{problem}</span>}
    </>
  );
}
