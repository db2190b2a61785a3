import { useEffect, useRef, useState } from 'preact/hooks';
import { underBase } from '../data/under-base.ts';
import { say } from '../texts/say.ts';
import { apiTexts } from '../texts/shell-texts.ts';

const shownFrames = 200;

interface FeedStatus {
  readonly state: 'busy' | 'idle' | 'ready' | 'failed';
  readonly text: keyof typeof apiTexts;
  readonly code?: number;
  readonly reason?: string;
}

/** A panel for the WebSocket of the log, which Swagger UI cannot open. */
export function FeedPanel() {
  const [status, setStatus] = useState<FeedStatus>({ state: 'idle', text: 'idle' });
  const [socket, setSocket] = useState<WebSocket>();
  const path = useRef<HTMLInputElement>(null);
  const output = useRef<HTMLPreElement>(null);
  useEffect(() => () => socket?.close(), [socket]);

  const connect = () => {
    const target = new URL(underBase(path.current?.value ?? ''), location.href);
    if (target.host !== location.host) return setStatus({ state: 'failed', text: 'ownPath' });
    target.protocol = location.protocol.replace('http', 'ws');
    const opened = new WebSocket(target);
    output.current?.replaceChildren();
    setStatus({ state: 'busy', text: 'connecting' });
    setSocket(opened);
    opened.onopen = () => setStatus({ state: 'ready', text: 'connected' });
    opened.onmessage = ({ data }) => show(output.current, String(data));
    opened.onclose = ({ code, reason }) => {
      setSocket(undefined);
      const isAsked = code === 1000 || code === 1005;
      setStatus(
        isAsked ? { state: 'idle', text: 'idle' } : { state: 'failed', text: 'closed', code, reason },
      );
    };
  };

  const { state, text, code = 0, reason } = status;
  const why = reason || say(code === 1006 ? apiTexts.refused : apiTexts.noReason);
  return (
    <section class="card" aria-labelledby="feed-title">
      <h2 id="feed-title">{say(apiTexts.feed)}</h2>
      <form
        id="feed"
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (socket) socket.close();
          else connect();
        }}
      >
        <input
          id="feed-path"
          ref={path}
          defaultValue="/api/logs?levels=error,warning,info"
          aria-label={say(apiTexts.path)}
          autoComplete="off"
          spellcheck={false}
        />
        <button class="primary" type="submit">
          {say(socket ? apiTexts.disconnect : apiTexts.connect)}
        </button>
      </form>
      <p id="feed-status" class="status" data-state={state} role="status">
        {say(apiTexts[text], { code, reason: why })}
      </p>
      <pre id="feed-output" class="output" ref={output} />
    </section>
  );
}

function show(output: HTMLPreElement | null, frame: string): void {
  if (!output) return;
  output.append(document.createTextNode(`${frame}\n`));
  while (output.childNodes.length > shownFrames) output.firstChild?.remove();
  output.scrollTop = output.scrollHeight;
}
