import { useState } from 'preact/hooks';
import { change } from '../data/change.ts';
import { account, logIn } from '../data/own-account.ts';
import { attempt } from '../settings/form/draft.ts';
import { PlainField, PlainSwitch } from '../settings/form/form-fields.tsx';
import { go } from '../shell/address.ts';
import { say } from '../texts/say.ts';
import { welcomeTexts } from '../texts/welcome-texts.ts';

interface StepProps {
  /** The address of the step after this one. */
  readonly next: string;
}

/** Characters. The recorder itself takes any password; this is advice for the first one. */
const minLength = 8;

/** The password that was printed, in a terminal or a log, is replaced by one that only its owner knows. */
export function PasswordStep({ next }: StepProps) {
  const { id = '', username: name = '', initialPassword = false } = account.value ?? {};
  if (initialPassword) return <PasswordForm next={next} />;
  return (
    <section class="card narrow">
      <p>{id === '' ? say(welcomeTexts.noLogin) : say(welcomeTexts.passwordDone, { name })}</p>
      <a class="button primary" href={next} data-page>
        {say(welcomeTexts.next)}
      </a>
    </section>
  );
}

function PasswordForm({ next }: StepProps) {
  const [password, setPassword] = useState('');
  const [isShown, setShown] = useState(false);
  const [flaw, setFlaw] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const name = account.value?.username ?? '';
  const save = async () => {
    const own = account.value;
    if (!own || isBusy) return;
    if (password.length < minLength) {
      setFlaw(say(welcomeTexts.tooShort, { min: minLength }));
      return;
    }
    setBusy(true);
    const { id, username, isAdmin } = own;
    const failure = await attempt(async () => {
      await change('PUT', '/api/account', { id, username, isAdmin, plainPassword: password });
      await logIn(username, password);
    });
    setBusy(false);
    setFlaw(failure?.message);
    if (!failure) go(next);
  };
  return (
    <form
      class="card narrow"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        return save();
      }}
    >
      <p>{say(welcomeTexts.passwordLead, { name })}</p>
      {/* Password managers keep the password under this name. */}
      <input
        class="hidden"
        type="text"
        autoComplete="username"
        value={name}
        readOnly
        tabIndex={-1}
        aria-hidden="true"
      />
      <PlainField
        secret={!isShown}
        label={say(welcomeTexts.newPassword)}
        hint={say(welcomeTexts.passwordHint, { min: minLength })}
        flaw={flaw}
        value={password}
        change={(typed) => {
          setPassword(typed);
          setFlaw(undefined);
        }}
        autoComplete="new-password"
        autoCapitalize="none"
        spellcheck={false}
        maxLength={1024}
      />
      <PlainSwitch label={say(welcomeTexts.showPassword)} checked={isShown} change={setShown} />
      <p class="row">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {say(welcomeTexts.savePassword)}
        </button>
        <a class="button" href={next} data-page>
          {say(welcomeTexts.later)}
        </a>
      </p>
      <p class="hint">{say(welcomeTexts.passwordEnds)}</p>
      <p class="hint">{say(welcomeTexts.passwordLater)}</p>
    </form>
  );
}
