import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { change } from '../../data/change.ts';
import { account } from '../../data/own-account.ts';
import { go } from '../../shell/address.ts';
import { Icon } from '../../shell/icons.tsx';
import { say } from '../../texts/say.ts';
import { accountTexts } from '../../texts/settings-texts.ts';
import { attempt, type Draft } from '../form/draft.ts';
import { EditorForm } from '../form/editor-form.tsx';
import { Choice, PlainField, PlainSwitch, TextField } from '../form/form-fields.tsx';
import { SaveBar } from '../form/save-bar.tsx';

interface FormProps {
  readonly draft: Draft;
  readonly monitors: readonly MonitorSummary[];
  readonly isNew: boolean;
}

const listAddress = '/settings?part=accounts';

/** Name, role, password, and the monitors that the account may see. */
export function AccountForm({ draft, monitors, isNew }: FormProps) {
  const send = async (run: () => Promise<unknown>) => {
    const failure = await attempt(run);
    if (failure) draft.refuse(failure);
    else {
      draft.keep();
      go(listAddress);
    }
  };
  const isAdmin = draft.get('/isAdmin') === true;
  const name = String(draft.get('/username'));
  const seen = draft.get('/monitors');
  const list = Array.isArray(seen) ? seen : undefined;
  const password = draft.get('/plainPassword');
  return (
    <EditorForm
      draft={draft}
      save={() => send(() => change('PUT', '/api/account', draft.value.value))}
      isNarrow
    >
      <div class="toolbar">
        <a class="button icon-button" href={listAddress} data-page aria-label={say(accountTexts.title)}>
          <Icon name="back" />
        </a>
        <h2>{isNew ? say(accountTexts.add) : name}</h2>
      </div>
      <section class="card">
        <TextField
          draft={draft}
          pointer="/username"
          label={say(accountTexts.username)}
          maxLength={64}
          autoCapitalize="none"
          autoComplete="off"
          spellcheck={false}
        />
        <PlainField
          secret
          label={say(accountTexts.password)}
          hint={say(isNew ? accountTexts.passwordNew : accountTexts.passwordKept)}
          flaw={draft.flawAt('/plainPassword')}
          value={typeof password === 'string' ? password : ''}
          change={(typed) => draft.set('/plainPassword', typed === '' ? undefined : typed)}
          autoComplete="new-password"
          maxLength={1024}
        />
        <Choice
          legend={say(accountTexts.role)}
          value={isAdmin ? 'admin' : 'user'}
          choices={{
            user: { label: say(accountTexts.user), hint: say(accountTexts.userHint) },
            admin: { label: say(accountTexts.admin), hint: say(accountTexts.adminHint) },
          }}
          change={(role) => {
            draft.set('/isAdmin', role === 'admin');
            if (role === 'admin' && list) draft.set('/monitors', null);
          }}
        />
        {!isAdmin && (
          <Choice
            legend={say(accountTexts.monitors)}
            value={list ? 'some' : 'all'}
            choices={{
              all: { label: say(accountTexts.allMonitors) },
              some: { label: say(accountTexts.chosen), hint: say(accountTexts.chosenHint) },
            }}
            change={(which) => draft.set('/monitors', which === 'all' ? null : [])}
          />
        )}
        {!isAdmin &&
          list &&
          monitors.map(({ id, name: monitorName }) => (
            <PlainSwitch
              key={id}
              label={monitorName}
              checked={list.includes(id)}
              change={(sees) =>
                draft.set('/monitors', sees ? [...list, id] : list.filter((one) => one !== id))
              }
            />
          ))}
        {!isNew && <p class="hint">{say(accountTexts.ends)}</p>}
      </section>
      {!isNew && draft.get('/id') !== account.value?.id && (
        <section class="card">
          <button
            type="button"
            class="bad"
            onClick={() => {
              const id = encodeURIComponent(String(draft.get('/id')));
              if (confirm(say(accountTexts.deleteSure, { name })))
                void send(() => change('DELETE', `/api/account?id=${id}`));
            }}
          >
            {say(accountTexts.delete)}
          </button>
        </section>
      )}
      <SaveBar draft={draft} isNew={isNew} />
    </EditorForm>
  );
}
