const endMark = '#EXT-X-ENDLIST';
const durationTag = '#EXT-X-TARGETDURATION:';

/**
 * One playlist of several that `hlsPlaylist` has made, the oldest first and at least one: between them is a discontinuity. Where
 * one goes on longer than the next one begins, its last segment shows what the first one of that shows, too.
 */
export function joinPlaylists(playlists: readonly string[]): string {
  const split = playlists.map((text) => {
    const lines = text.split('\n');
    const first = lines.findIndex((line) => line.startsWith('#EXT-X-MAP'));
    const [head, segments] = [lines.slice(0, first), lines.slice(first, lines.indexOf(endMark))];
    const duration = head.find((line) => line.startsWith(durationTag))?.slice(durationTag.length);
    return { head, segments, seconds: Number(duration) };
  });
  const longest = Math.max(...split.map(({ seconds }) => seconds));
  const head = (split[0]?.head ?? []).map((line) =>
    line.startsWith(durationTag) ? durationTag + longest : line,
  );
  const segments = split.flatMap((one, index) => [
    ...(index === 0 ? [] : ['#EXT-X-DISCONTINUITY']),
    ...one.segments,
  ]);
  return [...head, ...segments, `${endMark}\n`].join('\n');
}
