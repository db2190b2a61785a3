import '../style/forms.css';
import '../style/settings.css';
import '../style/zones.css';
import { useEffect, useRef } from 'preact/hooks';
import { account } from '../data/own-account.ts';
import { address } from '../shell/address.ts';
import { Notice } from '../shell/notice.tsx';
import { say } from '../texts/say.ts';
import { accountTexts, settingsTexts, systemTexts } from '../texts/settings-texts.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { AccountEditor } from './accounts/account-editor.tsx';
import { AccountList } from './accounts/account-list.tsx';
import { MonitorEditor } from './monitors/monitor-editor.tsx';
import { MonitorList } from './monitors/monitor-list.tsx';
import { ModelView } from './system/model-view.tsx';
import { MqttView } from './system/mqtt-view.tsx';
import { StorageView } from './system/storage-view.tsx';

const parts = {
  monitors: settingsTexts.monitors,
  accounts: accountTexts.title,
  storage: systemTexts.storage,
  models: systemTexts.models,
  mqtt: systemTexts.mqtt,
};
type Part = keyof typeof parts;

/** What admins may change. The part that is shown is the page's address. */
export function SettingsPage() {
  if (!account.value) return <Notice state="busy" title={say(shellTexts.loading)} />;
  if (!account.value.isAdmin) return <Notice state="failed" title={say(shellTexts.adminsOnly)} />;
  return <Parts />;
}

function Parts() {
  const nav = useRef<HTMLElement>(null);
  const wanted = address.value.searchParams.get('part') ?? '';
  const part: Part = wanted in parts ? (wanted as Part) : 'monitors';
  // On a phone there is no room for all of them.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [part]);
  return (
    <div class="page settings">
      <h1 class="hidden">{say(settingsTexts.title)}</h1>
      <nav class="parts" ref={nav} aria-label={say(settingsTexts.parts)}>
        {Object.entries(parts).map(([name, text]) => (
          <a
            key={name}
            href={name === 'monitors' ? '/settings' : `/settings?part=${name}`}
            data-page
            aria-current={name === part ? 'page' : undefined}
          >
            {say(text)}
          </a>
        ))}
      </nav>
      <ShownPart part={part} />
    </div>
  );
}

function ShownPart({ part }: { readonly part: Part }) {
  const { searchParams } = address.value;
  const monitorID = searchParams.get('monitor');
  const accountID = searchParams.get('account');
  switch (part) {
    case 'monitors':
      return monitorID === null ? <MonitorList /> : <MonitorEditor key={monitorID} id={monitorID} />;
    case 'accounts':
      return accountID === null ? <AccountList /> : <AccountEditor key={accountID} id={accountID} />;
    case 'storage':
      return <StorageView />;
    case 'models':
      return <ModelView />;
    case 'mqtt':
      return <MqttView />;
  }
}
