import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';

interface PartProps<Props extends object> {
  load(): Promise<FunctionComponent<Props>>;
  readonly props: Props;
}

/** A part of a page whose code is loaded when it is shown for the first time. */
export function LazyPart<Props extends object>({ load, props }: PartProps<Props>) {
  const [loaded, setLoaded] = useState<{ readonly part?: FunctionComponent<Props> }>();
  useEffect(() => {
    load().then(
      (part) => setLoaded({ part }),
      () => setLoaded({}),
    );
  }, [load]);
  if (!loaded) return <p class="status">{say(shellTexts.loading)}</p>;
  const { part: Part } = loaded;
  return Part ? <Part {...props} /> : <p class="status">{say(shellTexts.notLoaded)}</p>;
}
