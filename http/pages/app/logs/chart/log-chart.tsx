import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { LogLevel } from '../../../../../bus/messages.ts';
import { usePolled } from '../../data/polled.ts';
import { theme } from '../../shell/theme.ts';
import { timeZone } from '../../texts/chosen-zone.ts';
import { logTexts } from '../../texts/log-texts.ts';
import { language, say } from '../../texts/say.ts';
import { dayName, minuteClock, shortTime } from '../../texts/times.ts';
import { bucketFor, type CountedEntries, stackedCounts } from './log-counts.ts';

interface ChartProps {
  /** The parameters of `/api/log/stats` that filter. */
  readonly query: string;
  /** Unix times in microseconds; the end is now if left out. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** A bar was chosen. */
  choose(since: number, until: number): void;
}

const usualSpanUs = 24 * 3600e6;
const refreshMs = 15_000;
const height = 150;
/** From the bottom of a bar to its top, the worst first, and the custom property of its colour. */
const stack = [
  ['error', '--bad'],
  ['warning', '--warn'],
  ['info', '--accent'],
  ['debug', '--field-line'],
] as const satisfies readonly (readonly [LogLevel, string])[];
const levels = stack.map(([level]) => level);

/** How many entries there were, by level. A click on a bar, or Enter, shows its time alone. */
export function LogChart({ query, since, until, choose }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [minute, setMinute] = useState(() => Math.floor(Date.now() / 60_000));
  useEffect(() => {
    const timer = setInterval(() => setMinute(Math.floor(Date.now() / 60_000)), refreshMs);
    return () => clearInterval(timer);
  }, []);
  const end = until ?? (minute + 1) * 60e6;
  const start = since ?? end - usualSpanUs;
  const bucket = bucketFor(start, end);
  const counted = usePolled<readonly CountedEntries[]>(
    `/api/log/stats?group=level&bucket=${bucket.name}&start=${start}&end=${end}${query && `&${query}`}`,
    refreshMs,
  ).value;
  const rows = counted.value;
  const before = useRef<readonly CountedEntries[]>([]);
  if (rows) before.current = rows;
  const shown = rows ?? before.current;
  const data = useMemo(
    () => stackedCounts(shown, levels, { start, end, bucket }),
    [shown, start, end, bucket.name],
  );
  const [at, setAt] = useState<number>();
  const chosen = useRef(choose);
  chosen.current = choose;
  const barAt = (index: number | null | undefined) => {
    const time = index === null || index === undefined ? undefined : data[0]?.[index];
    if (time !== undefined) chosen.current(time * 1e6, time * 1e6 + bucket.length);
  };
  const pick = useRef(barAt);
  pick.current = barAt;
  const [chosenTheme, chosenLanguage, zone] = [theme.value, language.value, timeZone.value];

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const colour = (name: string) => {
      element.style.color = `var(${name})`;
      const found = getComputedStyle(element).color;
      element.style.color = '';
      return found;
    };
    const seconds = bucket.length / 1e6;
    const [line, quiet] = [colour('--line'), colour('--quiet')];
    const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const bars = uPlot.paths.bars?.({ size: [0.85, 60] });
    const isLong = bucket.length >= 3600e6 * 6;
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height,
        ...(zone !== '' && { tzDate: (time: number) => uPlot.tzDate(new Date(time * 1000), zone) }),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: () => [data[0]?.[0] ?? 0, (data[0]?.at(-1) ?? 0) + seconds] },
          y: { range: (_, __, max) => [0, Math.max(5, max * 1.05)] },
        },
        axes: [
          {
            ...axis,
            values: (_, splits) =>
              splits.map((time) => (isLong ? dayName(time * 1e6) : minuteClock(time * 1e6))),
          },
          { ...axis, size: 48 },
        ],
        // The highest sum is drawn first, so that those below cover it.
        series: [
          {},
          ...[...stack].reverse().map(([level, name]) => ({
            label: level,
            fill: colour(name),
            stroke: colour(name),
            width: 0,
            points: { show: false },
            ...(bars && { paths: bars }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? undefined)] },
      },
      // Bars stand in the middle of their time.
      [(data[0] ?? []).map((time) => time + seconds / 2), ...data.slice(1).reverse()] as uPlot.AlignedData,
      element,
    );
    const click = () => pick.current(chart.cursor.idx);
    chart.over.addEventListener('click', click);
    const press = (event: KeyboardEvent) => {
      const last = (chart.data[0]?.length ?? 1) - 1;
      const index = chart.cursor.idx ?? last;
      if (event.key === 'Enter') pick.current(index);
      else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
        const next = Math.max(0, Math.min(last, index + (event.key === 'ArrowLeft' ? -1 : 1)));
        const left = chart.valToPos(chart.data[0]?.[next] ?? 0, 'x');
        chart.setCursor({ left, top: 10 });
      } else return;
      event.preventDefault();
    };
    element.addEventListener('keydown', press);
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      element.removeEventListener('keydown', press);
      resize.disconnect();
      chart.destroy();
    };
  }, [data, bucket.name, chosenTheme, chosenLanguage, zone]);

  const words = describe(data, at, bucket.length);
  return (
    <section class="log-chart" aria-label={say(logTexts.chart)}>
      <div
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label={say(logTexts.chartKeys)}
        aria-valuemin={0}
        aria-valuemax={(data[0]?.length ?? 1) - 1}
        aria-valuenow={at ?? (data[0]?.length ?? 1) - 1}
        aria-valuetext={words}
      />
      <p class="quiet">{counted.problem ?? words}</p>
    </section>
  );
}

/** `26 Nov, 14:00 to 15:00: 2 errors, 71 info` */
function describe(data: readonly (readonly number[])[], at: number | undefined, length: number): string {
  const [times = [], ...sums] = data;
  const index = at ?? times.length - 1;
  const time = (times[index] ?? 0) * 1e6;
  const counts = stack.flatMap(([level], number) => {
    const count = (sums[number]?.[index] ?? 0) - (number === 0 ? 0 : (sums[number - 1]?.[index] ?? 0));
    return count > 0 ? [`${say(logTexts[level])} ${count}`] : [];
  });
  const what = counts.length > 0 ? counts.join(', ') : say(logTexts.noneInBar);
  return `${shortTime(time)} – ${minuteClock(time + length)}: ${what}`;
}
