import { useEffect, useRef, useState } from 'preact/hooks';
import { theme } from '../shell/theme.ts';
import { say } from '../texts/say.ts';
import { apiTexts } from '../texts/shell-texts.ts';
import { FeedPanel } from './feed-panel.tsx';
import { showSwagger } from './swagger.ts';

type Progress =
  | { readonly state: 'busy' }
  | { readonly state: 'ready'; readonly count: number }
  | { readonly state: 'failed'; readonly reason: string };

/** Swagger UI for our OpenAPI document, to try requests. */
export function ApiPage() {
  const place = useRef<HTMLDivElement>(null);
  const [progress, setProgress] = useState<Progress>({ state: 'busy' });
  useEffect(() => {
    if (!place.current) return;
    showSwagger(place.current).then(
      (count) => setProgress({ state: 'ready', count }),
      (error: unknown) =>
        setProgress({ state: 'failed', reason: error instanceof Error ? error.message : String(error) }),
    );
  }, []);
  useDarkSwagger();
  return (
    <div class="page">
      <div class="toolbar">
        <p id="status" class="status" data-state={progress.state} role="status">
          {progress.state === 'busy' && say(apiTexts.loading)}
          {progress.state === 'ready' && say(apiTexts.ready, progress)}
          {progress.state === 'failed' && say(apiTexts.failed, progress)}
        </p>
        <nav class="documents" aria-label={say(apiTexts.documents)}>
          <a href="/api/openapi.json">OpenAPI</a>
          <a href="/api/asyncapi.json">AsyncAPI</a>
        </nav>
      </div>
      <div id="endpoints" ref={place} />
      <FeedPanel />
    </div>
  );
}

/** Swagger UI has a dark form of its own, switched by a class. */
function useDarkSwagger(): void {
  const chosen = theme.value;
  useEffect(() => {
    const device = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => {
      const isDark = chosen === 'dark' || (chosen === 'system' && device.matches);
      document.documentElement.classList.toggle('dark-mode', isDark);
    };
    follow();
    device.addEventListener('change', follow);
    return () => device.removeEventListener('change', follow);
  }, [chosen]);
}
