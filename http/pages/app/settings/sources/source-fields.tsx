import { useState } from 'preact/hooks';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import type { Draft } from '../form/draft.ts';
import { Choice, PlainField, SwitchField, TextField } from '../form/form-fields.tsx';
import { authorityOf, type CameraLogin, joinAddress, splitAddress } from './stream-address.ts';

/** Where the pictures come from. */
export function SourceFields({ draft }: { readonly draft: Draft }) {
  const source = draft.get('/source');
  return (
    <>
      <Choice
        legend={say(cameraTexts.source)}
        value={String(source) as 'rtsp' | 'file' | 'test'}
        choices={{
          rtsp: { label: say(cameraTexts.rtsp) },
          file: { label: say(cameraTexts.file), hint: say(cameraTexts.fileHint) },
          test: { label: say(cameraTexts.test), hint: say(cameraTexts.testHint) },
        }}
        change={(chosen) => {
          draft.set('/source', chosen);
          const section = `/source${chosen}`;
          if (draft.get(section) === undefined) draft.set(section, emptySections[chosen]);
        }}
      />
      {source === 'rtsp' && <StreamFields draft={draft} />}
      {source === 'file' && (
        <>
          <TextField
            draft={draft}
            pointer="/sourcefile/path"
            label={say(cameraTexts.path)}
            hint={say(cameraTexts.pathHint)}
            maxLength={512}
            spellcheck={false}
          />
          <SwitchField draft={draft} pointer="/sourcefile/loop" label={say(cameraTexts.loop)} />
        </>
      )}
    </>
  );
}

const emptySections = {
  rtsp: { protocol: 'tcp', mainStream: '' },
  file: { path: '', loop: true },
  test: {},
};

const mainPointer = '/sourcertsp/mainStream';
const subPointer = '/sourcertsp/subStream';

interface Streams {
  readonly login: CameraLogin;
  readonly main: string;
  readonly sub: string;
}

function readStreams(draft: Draft): Streams & { readonly authority: string } {
  const { login, address: main } = splitAddress(String(draft.get(mainPointer) ?? ''));
  const url = String(draft.get(subPointer) ?? '');
  const sub = splitAddress(url);
  const isOneLogin =
    sub.login.user === login.user &&
    sub.login.password === login.password &&
    sub.login.stored === login.stored;
  // A login of its own stays in its address.
  return { login, main, sub: isOneLogin ? sub.address : url, authority: authorityOf(main) };
}

/** User name and password are typed once, and are part of both addresses. */
function StreamFields({ draft }: { readonly draft: Draft }) {
  const [stored] = useState(() => readStreams(draft));
  const [streams, setStreams] = useState<Streams>(stored);
  const { login, main, sub } = streams;
  const put = (part: Partial<Streams>) => {
    const next = { ...streams, ...part };
    setStreams(next);
    draft.set(mainPointer, joinAddress(next.login, next.main));
    const before = draft.get(subPointer);
    if (next.sub.trim() !== '') draft.set(subPointer, joinAddress(next.login, next.sub));
    else if (before !== undefined && before !== null) draft.set(subPointer, undefined);
  };
  /** When all of it is typed: a password may hold the signs that end one. */
  const takeApart = (text: string) => {
    const found = splitAddress(text);
    if (found.address !== text) put({ main: found.address, login: found.login });
  };
  const isKept = login.password === undefined;
  const isElsewhere = login.user !== stored.login.user || authorityOf(main) !== stored.authority;
  return (
    <>
      <PlainField
        label={say(cameraTexts.main)}
        hint={say(cameraTexts.mainHint)}
        flaw={draft.flawAt(mainPointer)}
        value={main}
        change={(text) => put({ main: text })}
        onChange={({ currentTarget: { value } }) => takeApart(value)}
        maxLength={2048}
        inputMode="url"
        autoCapitalize="none"
        autoComplete="off"
        spellcheck={false}
        placeholder="rtsp://"
      />
      <div class="pair">
        <PlainField
          label={say(cameraTexts.user)}
          hint={say(cameraTexts.userHint)}
          value={login.user}
          change={(user) => put({ login: { ...login, user } })}
          autoCapitalize="none"
          autoComplete="off"
          spellcheck={false}
        />
        <PlainField
          secret
          label={say(cameraTexts.password)}
          hint={say(cameraTexts.passwordHint)}
          flaw={isKept && isElsewhere ? say(cameraTexts.passwordAgain) : undefined}
          value={login.password ?? ''}
          change={(typed) => {
            const keeps = typed === '' && stored.login.password === undefined;
            put({ login: { ...login, password: keeps ? undefined : typed } });
          }}
          placeholder={isKept ? say(cameraTexts.passwordKept) : ''}
          autoComplete="new-password"
        />
      </div>
      <PlainField
        label={say(cameraTexts.sub)}
        hint={say(cameraTexts.subHint)}
        flaw={draft.flawAt(subPointer)}
        value={sub}
        change={(text) => put({ sub: text })}
        maxLength={2048}
        inputMode="url"
        autoCapitalize="none"
        autoComplete="off"
        spellcheck={false}
        placeholder="rtsp://"
      />
      <Choice
        legend={say(cameraTexts.protocol)}
        value={String(draft.get('/sourcertsp/protocol')) as 'tcp' | 'udp'}
        choices={{
          tcp: { label: 'TCP', hint: say(cameraTexts.tcpHint) },
          udp: { label: 'UDP', hint: say(cameraTexts.udpHint) },
        }}
        change={(protocol) => draft.set('/sourcertsp/protocol', protocol)}
      />
    </>
  );
}
