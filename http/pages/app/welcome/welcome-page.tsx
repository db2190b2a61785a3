import '../style/forms.css';
import '../style/settings.css';
import '../style/welcome.css';
import { useEffect, useRef } from 'preact/hooks';
import { account } from '../data/own-account.ts';
import { StorageView } from '../settings/system/storage-view.tsx';
import { address } from '../shell/address.ts';
import { Notice } from '../shell/notice.tsx';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { welcomeTexts } from '../texts/welcome-texts.ts';
import { CameraStep } from './camera-step.tsx';
import { PasswordStep } from './password-step.tsx';

/** In their order. The name is part of the page's address. */
const steps = [
  { name: 'password', Step: PasswordStep },
  { name: 'camera', Step: CameraStep },
  { name: 'storage', Step: StorageStep },
] as const;

const addressOf = (name: string) => `/welcome?step=${name}`;

/** The first steps of a new installation, for admins. Each can be left out. */
export function WelcomePage() {
  if (!account.value) return <Notice state="busy" title={say(shellTexts.loading)} />;
  if (!account.value.isAdmin) return <Notice state="failed" title={say(shellTexts.adminsOnly)} />;
  const wanted = address.value.searchParams.get('step');
  const index = steps.findIndex(({ name }) => name === wanted);
  return <ShownStep index={Math.max(0, index)} />;
}

function ShownStep({ index }: { readonly index: number }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(index);
  useEffect(() => {
    // So that the keyboard and screen readers begin with the new step; not when the page is opened.
    if (shown.current !== index) heading.current?.focus();
    shown.current = index;
  }, [index]);
  const { name, Step } = steps[index] ?? steps[0];
  const following = steps[index + 1];
  return (
    <div class="page settings welcome">
      <h1>{say(welcomeTexts.title)}</h1>
      <p>{say(welcomeTexts.lead)}</p>
      <nav aria-label={say(welcomeTexts.steps)}>
        <ol class="steps">
          {steps.map((step, at) => (
            <li key={step.name}>
              <a href={addressOf(step.name)} data-page aria-current={at === index ? 'step' : undefined}>
                {say(welcomeTexts.step, { number: at + 1, title: say(welcomeTexts[`${step.name}Step`]) })}
              </a>
            </li>
          ))}
        </ol>
      </nav>
      <h2 ref={heading} tabIndex={-1}>
        {say(welcomeTexts[name])}
      </h2>
      <Step key={name} next={following ? addressOf(following.name) : '/live'} />
    </div>
  );
}

function StorageStep({ next }: { readonly next: string }) {
  return (
    <>
      <p>{say(welcomeTexts.storageLead)}</p>
      <p class="row">
        <a class="button primary" href={next} data-page>
          {say(welcomeTexts.watch)}
        </a>
      </p>
      <StorageView />
    </>
  );
}
