import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Icon } from '../../shell/icons.tsx';
import { theme } from '../../shell/theme.ts';
import { timeZone } from '../../texts/chosen-zone.ts';
import { recordingTexts } from '../../texts/recording-texts.ts';
import { say } from '../../texts/say.ts';
import { fullTime } from '../../texts/times.ts';
import { labelName } from '../footage/event-search.ts';
import { kindOf } from '../footage/occurrence.ts';
import type { SpanTimeline } from '../footage/span-timeline.ts';
import { type PreviewPlace, ScrubPreview } from './scrub-preview.tsx';
import { moved, type TimeSpan, zoomed } from './time-scale.ts';
import { colourOf, rowHeight, scaleHeight, TimelineDrawing } from './timeline-drawing.ts';
import { followPointers } from './timeline-pointer.ts';
import { TimelineSource } from './timeline-source.ts';

interface TimelineProps {
  readonly monitors: readonly { readonly id: string; readonly name: string }[];
  /** What is on the screen. */
  readonly span: Signal<TimeSpan>;
  /** Whether it is being dragged. */
  readonly held: Signal<boolean>;
  /** The time that the player shows. */
  readonly time: ReadonlySignal<number | undefined>;
  /** What is marked, for a clip. */
  readonly marked: Signal<TimeSpan | undefined>;
  /** Only this kind of event is shown; empty is all. */
  readonly label: string;
  choose(time: number, monitorID: string | undefined): void;
  chooseLabel(label: string): void;
  /** Hears of what is known of the span. */
  onAnswers(answers: readonly SpanTimeline[]): void;
}

const zoomStep = 2;
/** Of the length of the span, for arrow keys. */
const keyStep = 0.01;
/** So often the slider's value is said anew. */
const spokenMs = 300;

/** A row for each monitor, from two months down to seconds: what was recorded, and above it what happened. */
export function TimelineView(props: TimelineProps) {
  const { monitors, span, held, time, marked, label, choose, chooseLabel, onAnswers } = props;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(1);
  const preview = useSignal<PreviewPlace | undefined>(undefined);
  const ids = monitors.map(({ id }) => id).join();
  const source = useMemo(() => new TimelineSource(ids ? ids.split(',') : [], span), [ids, span]);
  useEffect(() => () => source.close(), [source]);
  const chosen = useRef(choose);
  chosen.current = choose;

  useEffect(() => {
    const [element, surface] = [box.current, canvas.current];
    if (!element || !surface) return;
    const drawing = new TimelineDrawing(surface);
    const rows = ids.split(',');
    let frame = 0;
    const draw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        drawing.show(span.value);
      });
    };
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = () => {
      drawing.recolour();
      draw();
    };
    scheme.addEventListener('change', recolour);
    const ends = [
      span.subscribe(draw),
      theme.subscribe(recolour),
      timeZone.subscribe(recolour),
      source.answers.subscribe((answers) => {
        drawing.set(rows, answers, label);
        onAnswers(answers);
        draw();
      }),
    ];
    const resize = new ResizeObserver(() => {
      width.value = element.clientWidth;
      drawing.resize(element.clientWidth);
      draw();
    });
    resize.observe(element);
    const rowAt = (y: number) => rows[Math.floor((y - scaleHeight) / rowHeight)];
    const endPointers = followPointers(element, {
      span: () => span.value,
      show: (next) => {
        span.value = next;
      },
      choose: (at, y) => chosen.current(at, rowAt(y)),
      hover: (at) => {
        preview.value = at && {
          ...{ monitorID: rowAt(at.y), time: at.time, x: at.x, width: element.clientWidth },
        };
      },
      hold: (isHeld) => {
        held.value = isHeld;
      },
      mark: (next) => {
        marked.value = next;
      },
    });
    return () => {
      cancelAnimationFrame(frame);
      scheme.removeEventListener('change', recolour);
      for (const end of [...ends, endPointers]) end();
      resize.disconnect();
    };
  }, [ids, label, source, span, held, marked, onAnswers, preview, width]);

  // Without Preact, which would look at everything anew for each frame of a movement.
  const spoken = useRef<ReturnType<typeof setTimeout>>(undefined);
  useSignalEffect(() => {
    const { start, end } = span.value;
    const now = time.value ?? start;
    spoken.current ??= setTimeout(() => {
      spoken.current = undefined;
      const element = box.current;
      if (!element) return;
      element.ariaValueMin = String(Math.round(start / 1e6));
      element.ariaValueMax = String(Math.round(end / 1e6));
      element.ariaValueNow = String(Math.round(now / 1e6));
      element.ariaValueText = fullTime(now);
    }, spokenMs);
  });
  const middle = () => {
    const { start, end } = span.value;
    const now = time.value;
    return now !== undefined && start <= now && now < end ? now : (start + end) / 2;
  };
  const zoom = (factor: number) => {
    span.value = zoomed(span.value, factor, middle());
  };
  const shift = (share: number) => {
    span.value = moved(span.value, share * (span.value.end - span.value.start));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { start, end } = span.value;
    const step = (event.key === 'ArrowLeft' ? -1 : 1) * keyStep * (end - start);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    switch (event.key) {
      case 'ArrowLeft':
      case 'ArrowRight':
        if (event.shiftKey) shift(Math.sign(step) * 0.1);
        else choose((time.value ?? (start + end) / 2) + step, undefined);
        break;
      case 'PageUp':
        shift(-0.8);
        break;
      case 'PageDown':
        shift(0.8);
        break;
      case '+':
      case '=':
        zoom(1 / zoomStep);
        break;
      case '-':
        zoom(zoomStep);
        break;
      case 'Home':
        choose(start, undefined);
        break;
      case 'End':
        choose(Math.min(end, Date.now() * 1000), undefined);
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <section class="timeline" aria-label={say(recordingTexts.timeline)}>
      <div class="timeline-tools">
        <Legend answers={source.answers} label={label} choose={chooseLabel} />
        <div class="row">
          <ToolButton icon="back" text={say(recordingTexts.earlier)} act={() => shift(-0.5)} />
          <ToolButton icon="minus" text={say(recordingTexts.zoomOut)} act={() => zoom(zoomStep)} />
          <ToolButton icon="plus" text={say(recordingTexts.zoomIn)} act={() => zoom(1 / zoomStep)} />
          <ToolButton icon="forward" text={say(recordingTexts.later)} act={() => shift(0.5)} />
        </div>
      </div>
      {source.problem.value !== undefined && (
        <p class="banner" role="alert">
          {source.problem.value}
        </p>
      )}
      <div class="timeline-frame">
        <div
          class="timeline-rows"
          ref={box}
          role="slider"
          tabIndex={0}
          aria-label={say(recordingTexts.timelineKeys)}
          aria-valuenow={0}
          onKeyDown={onKeyDown}
        >
          <canvas ref={canvas} />
          <ol class="timeline-names" aria-hidden="true">
            {monitors.map(({ id, name }) => (
              <li key={id}>
                <span>{name}</span>
              </li>
            ))}
          </ol>
          <Marks span={span} time={time} marked={marked} width={width} />
        </div>
        <ScrubPreview place={preview} />
      </div>
    </section>
  );
}

interface ToolProps {
  readonly icon: Parameters<typeof Icon>[0]['name'];
  readonly text: string;
  act(): void;
}

function ToolButton({ icon, text, act }: ToolProps) {
  return (
    <button type="button" class="icon-button" aria-label={text} title={text} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}

interface LegendProps {
  readonly answers: ReadonlySignal<readonly SpanTimeline[]>;
  readonly label: string;
  choose(label: string): void;
}

/** The labels that occur, in their colours; a click shows one kind alone. */
function Legend({ answers, label, choose }: LegendProps) {
  const found = answers.value.flatMap(({ monitors }) =>
    monitors.flatMap(({ events }) => Object.keys(events).map(kindOf)),
  );
  const kinds = [...new Set(label ? [...found, label] : found)].sort();
  if (kinds.length === 0) return <p class="quiet legend-empty">{say(recordingTexts.noEvents)}</p>;
  return (
    <fieldset class="legend">
      <legend class="hidden">{say(recordingTexts.label)}</legend>
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          aria-pressed={label === kind}
          onClick={() => choose(label === kind ? '' : kind)}
        >
          <span class="dot" style={{ background: colourOf(kind) }} />
          {labelName(kind)}
        </button>
      ))}
    </fieldset>
  );
}

interface MarksProps extends Pick<TimelineProps, 'time' | 'marked'> {
  readonly span: ReadonlySignal<TimeSpan>;
  readonly width: ReadonlySignal<number>;
}

/** The player's time and the marked span, which move without a new drawing and without Preact. */
function Marks({ span, time, marked, width }: MarksProps) {
  const now = useRef<HTMLDivElement>(null);
  const part = useRef<HTMLDivElement>(null);
  const perUs = useComputed(() => width.value / (span.value.end - span.value.start));
  useSignalEffect(() => {
    const at = (one: number) => (one - span.value.start) * perUs.value;
    if (now.current) {
      const shown = time.value;
      const isSeen = shown !== undefined && shown >= span.value.start && shown <= span.value.end;
      now.current.hidden = !isSeen;
      now.current.style.transform = `translateX(${isSeen ? at(shown) : 0}px)`;
    }
    if (part.current) {
      const shown = marked.value;
      part.current.hidden = !shown;
      if (!shown) return;
      const left = Math.max(-2, Math.min(width.value, at(shown.start)));
      const right = Math.max(0, Math.min(width.value + 2, at(shown.end)));
      part.current.style.transform = `translateX(${left}px)`;
      part.current.style.width = `${Math.max(0, right - left)}px`;
    }
  });
  return (
    <>
      <div class="timeline-marked" ref={part} hidden />
      <div class="timeline-now" ref={now} hidden />
    </>
  );
}
