import type { LivePlayer } from './stream/live-player.ts';

/** Frames around what was found in the picture, drawn in the picture's own pixels over the video. */
export function DetectionOverlay({ player }: { readonly player: LivePlayer }) {
  const format = player.format.value;
  const found = player.detections.value;
  if (!format || found.length === 0) return null;
  const { width, height } = format;
  const unit = Math.max(width, height) / 100;
  return (
    <svg class="overlay" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {found.flatMap(({ source, detections }) =>
        detections.map(({ label, score, box }, index) => {
          if (!box) return null;
          const [x, y] = [(box.x / 1e6) * width, (box.y / 1e6) * height];
          const text = `${label} ${Math.round(score)} %`;
          return (
            <g key={`${source} ${index}`}>
              <rect
                x={x}
                y={y}
                width={(box.width / 1e6) * width}
                height={(box.height / 1e6) * height}
                stroke-width={unit / 4}
              />
              <text
                x={x + unit / 2}
                y={Math.max(y - unit / 2, unit * 2)}
                font-size={unit * 2}
                stroke-width={unit / 2}
              >
                {text}
              </text>
            </g>
          );
        }),
      )}
    </svg>
  );
}
