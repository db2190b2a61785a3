import { usePolled } from '../../data/polled.ts';
import { say } from '../../texts/say.ts';
import { accountTexts } from '../../texts/settings-texts.ts';
import { Loading } from '../form/loading.tsx';
import type { ListedAccount } from './account-editor.tsx';
import { SessionList } from './session-list.tsx';

const intervalMs = 10_000;

/** All accounts, and where they are logged in. */
export function AccountList() {
  const accounts = usePolled<Readonly<Record<string, ListedAccount>>>('/api/accounts', intervalMs).value;
  if (!accounts.value) return <Loading problem={accounts.problem} />;
  return (
    <>
      <section>
        <div class="toolbar">
          <h2>{say(accountTexts.title)}</h2>
          <a class="button primary" href="/settings?part=accounts&account=" data-page>
            {say(accountTexts.add)}
          </a>
        </div>
        <ul class="things">
          {Object.values(accounts.value).map(({ id, username, isAdmin, monitors }) => (
            <li key={id}>
              <a href={`/settings?part=accounts&account=${id}`} data-page>
                <span class="thing-name">{username}</span>
                <span class="quiet">{say(isAdmin ? accountTexts.admin : accountTexts.user)}</span>
                <span class="quiet">
                  {monitors
                    ? say(accountTexts.someMonitors, { count: monitors.length })
                    : say(accountTexts.allMonitors)}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </section>
      <SessionList />
    </>
  );
}
