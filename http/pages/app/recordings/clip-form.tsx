import type { Signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, RequestFailure } from '../data/request.ts';
import { underBase } from '../data/under-base.ts';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clock, span as lengthOf, size } from '../texts/times.ts';
import { fieldTime, timeOfField } from './footage/day.ts';
import type { TimeSpan } from './timeline/time-scale.ts';

interface ClipProps {
  readonly monitors: readonly { readonly id: string; readonly name: string }[];
  readonly marked: Signal<TimeSpan | undefined>;
  /** What is marked when the form is opened. */
  usual(): TimeSpan;
}

/** Larger clips are left to the browser, which writes them to the disk as they come. In bytes. */
const maxHeldBytes = 400_000_000;

interface Progress {
  readonly received: number;
  readonly total: number;
}

/** A marked span of time as one file, across recordings. */
export function ClipForm({ monitors, marked, usual }: ClipProps) {
  const [monitorID, setMonitorID] = useState(monitors[0]?.id ?? '');
  const [progress, setProgress] = useState<Progress>();
  const [said, setSaid] = useState<{ readonly isBad: boolean; readonly text: string }>();
  const aborter = useRef<AbortController>(undefined);
  useEffect(() => () => aborter.current?.abort(), []);
  const chosen = monitors.some(({ id }) => id === monitorID) ? monitorID : (monitors[0]?.id ?? '');
  const part = marked.value;
  const isValid = part !== undefined && part.start < part.end;
  const change = (edge: Partial<TimeSpan>) => {
    marked.value = { ...(part ?? usual()), ...edge };
  };
  const download = async () => {
    if (!part) return;
    const query = `start=${Math.round(part.start)}&end=${Math.round(part.end)}`;
    const address = `/api/monitor/${chosen}/clip.mp4?${query}`;
    aborter.current = new AbortController();
    setSaid(undefined);
    setProgress({ received: 0, total: 0 });
    try {
      const bytes = await fetchClip(address, aborter.current.signal, setProgress);
      setSaid({
        isBad: false,
        text: say(bytes === undefined ? recordingTexts.clipHanded : recordingTexts.clipDone),
      });
    } catch (error) {
      if (aborter.current.signal.aborted) setSaid({ isBad: false, text: say(recordingTexts.clipStopped) });
      else if (error instanceof RequestFailure) setSaid({ isBad: true, text: refusal(error) });
      else setSaid({ isBad: true, text: say(recordingTexts.clipBroken) });
    }
    setProgress(undefined);
  };
  return (
    <details
      class="clip"
      onToggle={({ currentTarget: { open } }) => {
        if (open) marked.value ??= usual();
      }}
    >
      <summary>{say(recordingTexts.clip)}</summary>
      <div class="row">
        {monitors.length > 1 && (
          <label>
            {say(recordingTexts.monitor)}
            <select value={chosen} onChange={({ currentTarget: { value } }) => setMonitorID(value)}>
              {monitors.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <Edge text={say(recordingTexts.from)} time={part?.start} change={(start) => change({ start })} />
        <Edge text={say(recordingTexts.to)} time={part?.end} change={(end) => change({ end })} />
        {isValid && !progress && (
          <button type="button" class="primary" onClick={() => void download()}>
            {say(recordingTexts.downloadClip)}
          </button>
        )}
        {progress && (
          <button type="button" onClick={() => aborter.current?.abort()}>
            {say(recordingTexts.stop)}
          </button>
        )}
        {part && (
          <button
            type="button"
            onClick={() => {
              marked.value = undefined;
            }}
          >
            {say(recordingTexts.unmark)}
          </button>
        )}
      </div>
      {part && !isValid && (
        <p class="bad" role="alert">
          {say(recordingTexts.clipOrder)}
        </p>
      )}
      {isValid && <p class="quiet">{lengthOf(part.end - part.start)}</p>}
      {progress && (
        <div class="clip-progress">
          <progress
            aria-label={say(recordingTexts.clipProgress)}
            {...(progress.total > 0 && { value: progress.received, max: progress.total })}
          />
          <span class="quiet">
            {size(progress.received)}
            {progress.total > 0 && ` / ${size(progress.total)}`}
          </span>
        </div>
      )}
      <p class={said?.isBad ? 'bad' : 'quiet'} role="status">
        {said?.text}
      </p>
    </details>
  );
}

interface EdgeProps {
  readonly text: string;
  readonly time: number | undefined;
  change(time: number): void;
}

function Edge({ text, time, change }: EdgeProps) {
  return (
    <label>
      {text}
      <input
        type="datetime-local"
        step="1"
        value={time === undefined ? '' : fieldTime(time)}
        onChange={({ currentTarget: { value } }) => value && change(timeOfField(value))}
      />
    </label>
  );
}

/** Where the picture changes, or a machine is away, there is no one file; the recorder says at which times. */
function refusal({ status, message }: RequestFailure): string {
  const times = message.match(/\d{16}/g) ?? [];
  if (status !== 409 || times.length === 0) return message;
  const isAway = message.includes('is away');
  return say(isAway ? recordingTexts.clipAway : recordingTexts.clipChanges, {
    times: times.map((time) => clock(Number(time))).join(', '),
  });
}

/**
 * Saves a clip as a file.
 *
 * @returns its size in bytes; undefined if the browser itself goes on with it.
 * @throws {RequestFailure}
 */
async function fetchClip(
  address: string,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<number | undefined> {
  const answer = await ask(address, { signal });
  const total = Number(answer.headers.get('Content-Length') ?? 0);
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1];
  const reader = answer.body?.getReader();
  if (!reader) throw new Error('an answer without a body');
  if (total > maxHeldBytes) {
    await reader.cancel();
    save(address, name ?? '');
    return undefined;
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.byteLength;
    onProgress({ received, total });
  }
  const held = URL.createObjectURL(new Blob(parts, { type: 'video/mp4' }));
  save(held, name ?? 'clip.mp4');
  // Browsers begin to read it some time after the click.
  setTimeout(() => URL.revokeObjectURL(held), 60_000);
  return received;
}

function save(address: string, name: string): void {
  const link = document.createElement('a');
  link.href = underBase(address);
  link.download = name;
  link.click();
}
