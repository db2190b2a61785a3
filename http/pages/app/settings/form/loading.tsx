import { Notice } from '../../shell/notice.tsx';
import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import { shellTexts } from '../../texts/shell-texts.ts';

/** In place of what is not there yet, or cannot be had. */
export function Loading({ problem }: { readonly problem: string | undefined }) {
  if (problem === undefined) return <Notice state="busy" title={say(shellTexts.loading)} />;
  return (
    <Notice state="failed" title={say(settingsTexts.failed)}>
      <p>{problem}</p>
    </Notice>
  );
}
