import { useState } from 'preact/hooks';
import type { Machine } from '../../../machines/machine-routes.ts';
import { change } from '../data/change.ts';
import { usePolled } from '../data/polled.ts';
import { RequestFailure } from '../data/request.ts';
import { machineTexts } from '../texts/machine-texts.ts';
import { say } from '../texts/say.ts';

const intervalMs = 4000;

/** The machines of the cluster, and what each records. */
export function MachineRow() {
  const { value: machines, problem } = usePolled<readonly Machine[]>('/api/machines', intervalMs).value;
  if (!machines) return problem === undefined ? null : <p class="banner">{problem}</p>;
  return (
    <ul class="machines" aria-label={say(machineTexts.title)}>
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

function words({ isAlive, capacity, owned, provisional }: Machine): string {
  if (!isAlive) return say(machineTexts.away);
  if (capacity === 0) return say(machineTexts.votes);
  const count = owned.length + provisional.length;
  return say(count === 1 ? machineTexts.oneCamera : machineTexts.cameras, { count });
}

function TakeOver({ name }: { readonly name: string }) {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const takeOver = async () => {
    if (!confirm(say(machineTexts.sure, { name }))) return;
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
        {say(machineTexts.takeOver)}
      </button>
      {problem !== undefined && <span role="alert">{problem}</span>}
    </>
  );
}
