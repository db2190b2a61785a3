import { useRef, useState } from 'preact/hooks';
import { change } from '../data/change.ts';
import { account } from '../data/own-account.ts';
import { RequestFailure } from '../data/request.ts';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clock, dayName } from '../texts/times.ts';
import type { RecordedFile } from './footage/recorded-file.ts';

interface ActionsProps {
  readonly file: RecordedFile;
  /** The list has to be asked for again. */
  onChanged(): void;
}

/** What admins may do with a recording. */
export function RecordingActions({ file, onChanged }: ActionsProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  if (!account.value?.isAdmin || file.away) return null;
  const act = async (method: 'PUT' | 'DELETE', path: string) => {
    if (isBusy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await change(method, path);
      onChanged();
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      setProblem(error.message);
    }
    setBusy(false);
  };
  const time = `${dayName(file.start)}, ${clock(file.start)}`;
  return (
    <div class="recording-actions">
      <button
        type="button"
        aria-disabled={isBusy}
        aria-pressed={file.protected === true}
        title={say(recordingTexts.protectHint)}
        onClick={() => void act(file.protected ? 'DELETE' : 'PUT', `/api/recording/${file.id}/protect`)}
      >
        {say(file.protected ? recordingTexts.unprotect : recordingTexts.protect)}
      </button>
      {!file.protected && file.state !== 'recording' && (
        <button type="button" class="bad" disabled={isBusy} onClick={() => dialog.current?.showModal()}>
          {say(recordingTexts.remove)}
        </button>
      )}
      {problem && (
        <p class="bad" role="alert">
          {problem}
        </p>
      )}
      <dialog ref={dialog} aria-label={say(recordingTexts.removeTitle)}>
        <p>{say(recordingTexts.removeQuestion, { time })}</p>
        <div class="row">
          <button
            type="button"
            class="primary danger"
            onClick={() => {
              dialog.current?.close();
              void act('DELETE', `/api/recording?id=${file.id}`);
            }}
          >
            {say(recordingTexts.removeYes)}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {say(recordingTexts.keep)}
          </button>
        </div>
      </dialog>
    </div>
  );
}
