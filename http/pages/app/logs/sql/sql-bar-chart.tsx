import type { SqlBars } from './sql-answer.ts';

/** In units of the drawing. */
const [rowHeight, nameWidth, width, valueWidth] = [22, 240, 900, 90];
const longestName = 36;

/** Names are texts and not times as a rule, so the bars lie. */
export function SqlBarChart({ label, value, bars }: SqlBars) {
  const most = Math.max(1e-9, ...bars.map((bar) => Math.abs(bar.value)));
  const room = width - nameWidth - valueWidth;
  return (
    <figure class="sql-chart">
      <figcaption class="quiet">
        {value} / {label}
      </figcaption>
      <svg viewBox={`0 0 ${width} ${bars.length * rowHeight}`} aria-hidden="true">
        {bars.map((bar, index) => {
          const length = (Math.abs(bar.value) / most) * room;
          const y = index * rowHeight;
          const name = bar.name.length > longestName ? `${bar.name.slice(0, longestName)}…` : bar.name;
          return (
            <g key={index}>
              <text x={nameWidth - 8} y={y + 15} text-anchor="end">
                {name}
              </text>
              <rect x={nameWidth} y={y + 3} width={Math.max(1, length)} height={rowHeight - 6} />
              <text x={nameWidth + length + 6} y={y + 15}>
                {Number.isInteger(bar.value) ? bar.value : bar.value.toPrecision(4)}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}
