import { moved, type TimeSpan, zoomed } from './time-scale.ts';

/** Movements of mouse and fingers, as what they mean. */
export interface PointerActions {
  span(): TimeSpan;
  show(span: TimeSpan): void;
  /** A click. */
  choose(time: number, y: number): void;
  /** The pointer is over the timeline without pressing it; undefined when it leaves. */
  hover(at: { readonly time: number; readonly x: number; readonly y: number } | undefined): void;
  /** Whether a finger or the mouse's button is down, so that there may be more movement. */
  hold(isHeld: boolean): void;
  /** Dragged with the shift key. */
  mark(span: TimeSpan): void;
}

/** Movements below this, in CSS pixels, are a click. */
const clickSlop = 5;
/** A wheel's notch is some 100 pixels. */
const zoomPerPixel = 0.0016;

/** Drag moves, the wheel and two fingers zoom, a click chooses. @returns a function that ends it. */
export function followPointers(element: HTMLElement, actions: PointerActions): () => void {
  const aborter = new AbortController();
  const { signal } = aborter;
  const fingers = new Map<number, number>();
  let begun: { x: number; y: number; span: TimeSpan; marks: boolean } | undefined;
  let isDragged = false;

  const placeOf = (event: MouseEvent) => {
    const { left, top, width } = element.getBoundingClientRect();
    const { start, end } = actions.span();
    const perPixel = (end - start) / Math.max(1, width);
    const x = event.clientX - left;
    return { x, y: event.clientY - top, time: start + x * perPixel, perPixel };
  };

  element.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      const { x, y } = placeOf(event);
      fingers.set(event.pointerId, x);
      if (fingers.size === 1) isDragged = false;
      begun = { x, y, span: actions.span(), marks: event.shiftKey };
      actions.hold(true);
      actions.hover(undefined);
    },
    { signal },
  );
  element.addEventListener(
    'pointermove',
    (event) => {
      const { x, y, time, perPixel } = placeOf(event);
      if (!fingers.has(event.pointerId)) {
        if (event.pointerType === 'mouse') actions.hover({ time, x, y });
        return;
      }
      const [before = x, other = x] = [
        fingers.get(event.pointerId),
        [...fingers].find(([id]) => id !== event.pointerId)?.[1],
      ];
      fingers.set(event.pointerId, x);
      if (!begun) return;
      if (fingers.size > 1) {
        isDragged = true;
        const [was, is] = [Math.abs(before - other), Math.abs(x - other)];
        const { start } = actions.span();
        if (was > 8 && is > 8)
          actions.show(zoomed(actions.span(), was / is, start + ((x + other) / 2) * perPixel));
        return;
      }
      if (!isDragged && Math.abs(x - begun.x) < clickSlop) return;
      isDragged = true;
      const from = begun.span.start + begun.x * perPixel;
      if (begun.marks) actions.mark({ start: Math.min(from, time), end: Math.max(from, time) });
      else actions.show(moved(begun.span, (begun.x - x) * perPixel));
    },
    { signal },
  );
  const lift = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return;
    actions.hold(fingers.size > 0);
    const { x, y, time } = placeOf(event);
    if (event.type === 'pointerup' && !isDragged && fingers.size === 0) actions.choose(time, y);
    // What is left of two fingers goes on as a drag.
    begun =
      fingers.size > 0
        ? { x: [...fingers.values()][0] ?? x, y, span: actions.span(), marks: false }
        : undefined;
  };
  element.addEventListener('pointerup', lift, { signal });
  element.addEventListener('pointercancel', lift, { signal });
  element.addEventListener('pointerleave', () => actions.hover(undefined), { signal });
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { time, perPixel } = placeOf(event);
      const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
      if (isSideways) {
        const by = (event.deltaX || event.deltaY) * delta * perPixel;
        actions.show(moved(actions.span(), by));
      } else actions.show(zoomed(actions.span(), Math.exp(event.deltaY * delta * zoomPerPixel), time));
    },
    { signal, passive: false },
  );
  return () => aborter.abort();
}
