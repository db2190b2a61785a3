import type { LivePlayer } from './stream/live-player.ts';

/** Zones and masks of detectors over the video. A zone in which something moves is bright. */
export function ZoneOverlay({ player }: { readonly player: LivePlayer }) {
  const format = player.format.value;
  const zones = player.zones.value;
  if (!format || zones.length === 0 || !player.playing.value) return null;
  const { width, height } = format;
  const busy = new Set(
    player.detections.value.flatMap(({ source, detections }) =>
      detections.map(({ label }) => `${source} ${label}`),
    ),
  );
  return (
    <svg class="overlay zones" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {zones.map(({ source, label, area }) => (
        <polygon
          key={`${source} ${label}`}
          data-kind={label === 'mask' ? 'mask' : 'zone'}
          data-busy={busy.has(`${source} ${label}`)}
          points={area.map(([x, y]) => `${(x / 1e6) * width},${(y / 1e6) * height}`).join(' ')}
          stroke-width={Math.max(width, height) / 300}
        />
      ))}
    </svg>
  );
}
