import '../style/forms.css';
import '../style/settings.css';
import { account } from '../data/own-account.ts';
import { address } from '../shell/address.ts';
import { Notice } from '../shell/notice.tsx';
import { say } from '../texts/say.ts';
import { settingsTexts } from '../texts/settings-texts.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { MonitorEditor } from './monitors/monitor-editor.tsx';
import { MonitorList } from './monitors/monitor-list.tsx';

/** What admins may change. The part that is shown is the page's address. */
export function SettingsPage() {
  if (!account.value) return <Notice state="busy" title={say(shellTexts.loading)} />;
  if (!account.value.isAdmin) return <Notice state="failed" title={say(shellTexts.adminsOnly)} />;
  const { searchParams } = address.value;
  const monitorID = searchParams.get('monitor');
  return (
    <div class="page settings">
      <h1 class="hidden">{say(settingsTexts.title)}</h1>
      {monitorID === null ? <MonitorList /> : <MonitorEditor key={monitorID} id={monitorID} />}
    </div>
  );
}
