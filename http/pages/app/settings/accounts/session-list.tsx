import { useState } from 'preact/hooks';
import { change } from '../../data/change.ts';
import { usePolled } from '../../data/polled.ts';
import { say } from '../../texts/say.ts';
import { accountTexts } from '../../texts/settings-texts.ts';
import { fullTime, shortTime } from '../../texts/times.ts';
import { attempt } from '../form/draft.ts';

/** As `GET /api/sessions` has it. */
interface LoginSession {
  readonly id: string;
  readonly username: string;
  readonly used: number;
  readonly address: string;
  readonly client: string;
  readonly current: boolean;
}

const intervalMs = 5000;

/** Where people are logged in; each login can be ended. */
export function SessionList() {
  const [ended, setEnded] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string>();
  const all = usePolled<readonly LoginSession[]>('/api/sessions', intervalMs).value.value ?? [];
  const sessions = all.filter(({ id }) => !ended.includes(id));
  const end = async (id: string) => {
    const failure = await attempt(() => change('DELETE', `/api/session/${id}`));
    setProblem(failure?.message);
    if (!failure) setEnded([...ended, id]);
  };
  return (
    <section class="sessions">
      <h2>{say(accountTexts.sessions)}</h2>
      <p class="hint">{say(accountTexts.sessionsHint)}</p>
      {problem && <p class="bad">{problem}</p>}
      {sessions.length === 0 && <p class="quiet">{say(accountTexts.noSessions)}</p>}
      <ul class="rows">
        {sessions.map(({ id, username, used, address, client, current }) => (
          <li key={id}>
            <span>
              <strong>{username}</strong> · {address} · <span title={fullTime(used)}>{shortTime(used)}</span>
              <small class="hint">{client}</small>
            </span>
            {current ? (
              <span class="quiet">{say(accountTexts.current)}</span>
            ) : (
              <button
                type="button"
                aria-label={say(accountTexts.endOf, { name: username, address })}
                onClick={() => void end(id)}
              >
                {say(accountTexts.end)}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
