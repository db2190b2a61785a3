import { clock, dayName, minuteClock } from '../../texts/times.ts';
import { kindOf, motion } from '../footage/occurrence.ts';
import type { SpanTimeline } from '../footage/span-timeline.ts';
import { scaleMarks, type TimeSpan } from './time-scale.ts';

/** In CSS pixels. */
export const scaleHeight = 22;
export const rowHeight = 34;
const [eventTop, eventHeight, recordedTop, recordedHeight] = [6, 10, 19, 11];
const leastWidth = 1.5;
/** The drawing reaches beyond both edges of the screen by so many of its widths: a drag only moves it. */
const margin = 1;
/** Of the answers for this time, the finest: coarser ones show nothing that can be made out. */
const maxDrawn = 3;
/** Browsers draw no larger ones. */
const maxPixels = 8192;

/** Labels have one of these colours, which `recordings.css` defines; motion has its own. */
const labelColours = 5;

export function colourOf(kind: string): string {
  if (kind === motion) return 'var(--motion)';
  const known = ['person', 'car', 'dog', 'cat'].indexOf(kind);
  let number = known;
  if (known < 0) {
    number = 4;
    for (const letter of kind) number = (number * 31 + letter.charCodeAt(0)) % 997;
  }
  return `var(--label-${number % labelColours})`;
}

/**
 * Draws the rows of monitors, what was recorded and what happened, on a canvas that is three times as wide as what is seen of it.
 * While the span moves it is only shifted; it is drawn anew when the span leaves it, or changes its length.
 */
export class TimelineDrawing {
  readonly #canvas: HTMLCanvasElement;
  readonly #colours = new Map<string, string>();
  #rows: readonly string[] = [];
  #answers: readonly SpanTimeline[] = [];
  #label = '';
  #width = 1;
  /** What is drawn. */
  #drawn: TimeSpan | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** @param label of what happened, only this kind is shown; empty is all. */
  set(rows: readonly string[], answers: readonly SpanTimeline[], label: string): void {
    this.#rows = rows;
    this.#answers = answers;
    this.#label = label;
    this.#drawn = undefined;
  }

  /** @param width in CSS pixels, of what is seen. */
  resize(width: number): void {
    this.#width = Math.max(1, width);
    this.#drawn = undefined;
  }

  /** Colours are those of another theme. */
  recolour(): void {
    this.#colours.clear();
    this.#drawn = undefined;
  }

  show(span: TimeSpan): void {
    const length = span.end - span.start;
    const drawn = this.#drawn;
    // Less than a hundredth of a pixel over the whole width.
    const isSameScale =
      drawn && Math.abs((drawn.end - drawn.start) / (1 + 2 * margin) - length) < length / 1e5;
    if (!isSameScale || span.start < drawn.start || span.end > drawn.end) this.#draw(span);
    const start = this.#drawn?.start ?? span.start;
    const shift = ((start - span.start) / length) * this.#width;
    this.#canvas.style.transform = `translateX(${shift}px)`;
  }

  #draw({ start, end }: TimeSpan): void {
    const side = (end - start) * margin;
    const drawn = { start: start - side, end: end + side };
    this.#drawn = drawn;
    const canvas = this.#canvas;
    const width = this.#width * (1 + 2 * margin);
    const height = scaleHeight + this.#rows.length * rowHeight;
    const ratio = Math.min(devicePixelRatio, 2, maxPixels / width);
    const pixels = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (canvas.width !== pixels.width || canvas.height !== pixels.height) Object.assign(canvas, pixels);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext('2d');
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const perUs = width / (drawn.end - drawn.start);
    const at = (time: number) => (time - drawn.start) * perUs;
    const near = this.#answers.filter((answer) => answer.end > drawn.start && answer.start < drawn.end);
    for (const answer of near.slice(-maxDrawn)) this.#drawAnswer(pen, answer, at, width);
    this.#drawScale(pen, drawn, at, width, height);
  }

  #drawAnswer(
    pen: CanvasRenderingContext2D,
    { start, end, bucket, monitors }: SpanTimeline,
    at: (time: number) => number,
    width: number,
  ): void {
    const [left, right] = [Math.max(0, at(start)), Math.min(width, at(end))];
    if (right <= left) return;
    pen.clearRect(left, 0, right - left, scaleHeight + this.#rows.length * rowHeight);
    const perBucket = at(start + bucket) - at(start);
    const origin = at(start);
    const future = at(Date.now() * 1000);
    for (const { id, recorded, events } of monitors) {
      const row = this.#rows.indexOf(id);
      if (row < 0) continue;
      const top = scaleHeight + row * rowHeight;
      pen.fillStyle = this.#colour('var(--recorded)');
      for (const [first, last] of recorded) {
        const from = Math.max(left, origin + first * perBucket);
        const to = Math.min(right, future, origin + (last + 1) * perBucket);
        if (to > from) pen.fillRect(from, top + recordedTop, Math.max(leastWidth, to - from), recordedHeight);
      }
      for (const [label, found] of Object.entries(events)) {
        const kind = kindOf(label);
        if (this.#label && this.#label !== kind) continue;
        pen.fillStyle = this.#colour(colourOf(kind));
        // Motion is everywhere: it is lower, so that objects are seen above it.
        const y = top + eventTop + (kind === motion ? eventHeight / 2 : 0);
        const size = kind === motion ? eventHeight / 2 : eventHeight;
        for (const [index] of found) {
          const from = origin + index * perBucket;
          if (from + perBucket >= left && from <= right)
            pen.fillRect(from, y, Math.max(leastWidth, perBucket), size);
        }
      }
    }
  }

  #drawScale(
    pen: CanvasRenderingContext2D,
    drawn: TimeSpan,
    at: (time: number) => number,
    width: number,
    height: number,
  ): void {
    pen.font = '12px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    pen.fillStyle = this.#colour('var(--line)');
    for (let row = 0; row <= this.#rows.length; row += 1)
      pen.fillRect(0, scaleHeight + row * rowHeight - 1, width, 1);
    for (const { time, unit } of scaleMarks(drawn, width)) {
      const x = Math.round(at(time));
      pen.fillStyle = this.#colour('var(--line)');
      pen.fillRect(x, unit === 'day' ? 0 : scaleHeight - 6, 1, height);
      pen.fillStyle = this.#colour(unit === 'day' ? 'var(--text)' : 'var(--quiet)');
      const text = { day: dayName, minute: minuteClock, second: clock }[unit](time);
      pen.fillText(text, x + 4, scaleHeight / 2);
    }
  }

  /** A canvas knows no custom properties: the element's own colour does. */
  #colour(name: string): string {
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      this.#canvas.style.color = name;
      colour = getComputedStyle(this.#canvas).color;
      this.#colours.set(name, colour);
    }
    return colour;
  }
}
