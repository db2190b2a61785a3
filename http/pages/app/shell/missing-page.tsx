import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { Notice } from './notice.tsx';

/** At an address that is no page's. */
export function MissingPage() {
  return (
    <div class="page">
      <Notice state="empty" title={say(shellTexts.missing)}>
        <p>{say(shellTexts.missingAddress)}</p>
        <a class="button" href="/live" data-page>
          {say(shellTexts.toLive)}
        </a>
      </Notice>
    </div>
  );
}
