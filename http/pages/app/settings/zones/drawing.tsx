import type { ComponentProps } from 'preact';
import { useRef } from 'preact/hooks';
import { say } from '../../texts/say.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';
import {
  type Corner,
  middles,
  type Polygon,
  type Shape,
  shifted,
  withCorner,
  withNewCorner,
  withoutCorner,
} from './polygon-editing.ts';

interface DrawingProps {
  readonly shapes: readonly Shape[];
  /** Pointer of the one that is edited. */
  readonly chosen: string | undefined;
  readonly choose: (pointer: string) => void;
  readonly change: (pointer: string, polygon: Polygon) => void;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** An SVG has no elements of such kinds. */
const group = { role: 'group' } as const;
const button = { role: 'button', tabindex: 0 } as const;

function Control(props: ComponentProps<'g'>) {
  return <g {...button} {...props} />;
}

const whole = 1_000_000;
/** One press of an arrow key, with Shift and without. */
const [smallStep, step] = [1000, 10_000];

const arrows: Readonly<Record<string, Corner>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** What is dragged: a corner, or all of the polygon from where it was taken. */
type Drag = { readonly corner: number } | { readonly from: Corner; readonly polygon: Polygon };

/** Polygons over the picture. The chosen one has handles: dragged by mouse or finger, moved by arrow keys. */
export function Drawing({ shapes, chosen, choose, change, width, height }: DrawingProps) {
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<Drag>(undefined);
  const place = ({ clientX, clientY }: PointerEvent): Corner => {
    const box = svg.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [((clientX - box.left) / box.width) * whole, ((clientY - box.top) / box.height) * whole];
  };
  const begin = (event: PointerEvent, what: Drag) => {
    if (event.button !== 0) return;
    drag.current = what;
    // Not the drawing: what captures the pointer gets the clicks, and two on a corner take it away.
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const current = shapes.find(({ pointer }) => pointer === chosen);
  const put = (polygon: Polygon) => {
    if (current) change(current.pointer, polygon);
  };
  const move = (event: PointerEvent) => {
    const dragged = drag.current;
    if (!dragged || !current) return;
    const [x, y] = place(event);
    if ('corner' in dragged) put(withCorner(current.polygon, dragged.corner, [x, y]));
    else put(shifted(dragged.polygon, x - dragged.from[0], y - dragged.from[1]));
  };
  const end = () => {
    drag.current = undefined;
  };
  const unit = Math.max(width, height) / 100;
  const toPixels = ([x, y]: Corner): Corner => [(x / whole) * width, (y / whole) * height];
  const stepOf = (event: KeyboardEvent): Corner | undefined => {
    const direction = arrows[event.key];
    if (!direction) return undefined;
    event.preventDefault();
    const length = event.shiftKey ? smallStep : step;
    return [direction[0] * length, direction[1] * length];
  };
  return (
    <svg
      ref={svg}
      class="drawing"
      viewBox={`0 0 ${width} ${height}`}
      {...group}
      aria-label={say(zoneTexts.drawing)}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {shapes.map(({ pointer, name, kind, enabled, polygon }) => (
        <Control
          key={pointer}
          class="shape"
          data-kind={kind}
          data-enabled={enabled}
          data-chosen={pointer === chosen}
          aria-label={name}
          aria-pressed={pointer === chosen}
          onPointerDown={(event) => {
            choose(pointer);
            if (pointer === chosen) begin(event, { from: place(event), polygon });
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === ' ') {
              event.preventDefault();
              choose(pointer);
              return;
            }
            const way = pointer === chosen && stepOf(event);
            if (way) put(shifted(polygon, ...way));
          }}
        >
          <polygon
            points={polygon.map((corner) => toPixels(corner).join(',')).join(' ')}
            stroke-width={unit / 3}
          />
        </Control>
      ))}
      {current && (
        <Handles
          shape={current}
          unit={unit}
          toPixels={toPixels}
          put={put}
          stepOf={stepOf}
          grab={(event, corner) => begin(event, { corner })}
        />
      )}
    </svg>
  );
}

interface HandlesProps {
  readonly shape: Shape;
  readonly unit: number;
  readonly toPixels: (corner: Corner) => Corner;
  readonly put: (polygon: Polygon) => void;
  readonly stepOf: (event: KeyboardEvent) => Corner | undefined;
  readonly grab: (event: PointerEvent, corner: number) => void;
}

function Handles({ shape, unit, toPixels, put, stepOf, grab }: HandlesProps) {
  const { name, polygon } = shape;
  const percent = (millionths: number) => Math.round(millionths / 10_000);
  return (
    <>
      {middles(polygon).map((middle, index) => {
        const [x, y] = toPixels(middle);
        const add = () => put(withNewCorner(polygon, index, middle));
        return (
          <Control
            key={`middle${index}`}
            class="handle middle"
            aria-label={say(zoneTexts.addCorner, { number: index + 1, name })}
            onPointerDown={(event) => {
              add();
              grab(event, index + 1);
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== ' ') return;
              event.preventDefault();
              add();
            }}
          >
            <circle class="grip" cx={x} cy={y} r={unit * 2} />
            <circle cx={x} cy={y} r={unit * 0.7} />
          </Control>
        );
      })}
      {polygon.map((corner, index) => {
        const [x, y] = toPixels(corner);
        return (
          <Control
            key={`corner${index}`}
            class="handle corner"
            aria-label={say(zoneTexts.corner, {
              ...{ number: index + 1, name },
              ...{ x: percent(corner[0]), y: percent(corner[1]) },
            })}
            onPointerDown={(event) => grab(event, index)}
            onDblClick={() => put(withoutCorner(polygon, index))}
            onKeyDown={(event) => {
              if (event.key === 'Delete' || event.key === 'Backspace') {
                event.preventDefault();
                put(withoutCorner(polygon, index));
                return;
              }
              const way = stepOf(event);
              if (way) put(withCorner(polygon, index, [corner[0] + way[0], corner[1] + way[1]]));
            }}
          >
            <circle class="grip" cx={x} cy={y} r={unit * 2.6} />
            <circle cx={x} cy={y} r={unit} />
          </Control>
        );
      })}
    </>
  );
}
