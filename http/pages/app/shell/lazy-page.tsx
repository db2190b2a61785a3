import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { Notice } from './notice.tsx';

interface LazyProps {
  readonly load: () => Promise<FunctionComponent>;
}

/** A page whose code is loaded when it is shown for the first time. */
export function LazyPage({ load }: LazyProps) {
  const [loaded, setLoaded] = useState<{ readonly page?: FunctionComponent }>();
  useEffect(() => {
    load().then(
      (page) => setLoaded({ page }),
      // The recorder cannot be reached, or is another version by now.
      () => setLoaded({}),
    );
  }, [load]);
  if (!loaded) return <Notice state="busy" title={say(shellTexts.loading)} />;
  const { page: Page } = loaded;
  if (Page) return <Page />;
  return (
    <Notice state="failed" title={say(shellTexts.notLoaded)}>
      <button type="button" onClick={() => location.reload()}>
        {say(shellTexts.reload)}
      </button>
    </Notice>
  );
}
