/** What a machine has recorded of a monitor. Unix times in microseconds; the end is not included. */
export interface MachineFootage {
  readonly machine: string;
  readonly start: number;
  readonly end: number;
}

/** From a time on, until the next one: whose footage is shown rather than whose. */
export interface Preference {
  readonly start: number;
  /** The best first. */
  readonly machines: readonly string[];
}

type Span = Pick<MachineFootage, 'start' | 'end'>;

/** Shorter gaps, as between two files of one machine, are not filled with what another one has; nor is a shorter preference heeded. */
const leastGapUs = 1_000_000;

/**
 * Which machine's footage of a monitor is shown when: that of the first one, and where it has none, that of the next.
 *
 * @param preferences in the order of time; the first one begins long before the span.
 * @returns parts that follow each other and fill the whole span, so that each may have an end without footage; none if nothing
 * was recorded.
 */
export function shownFootage(
  recorded: readonly MachineFootage[],
  preferences: readonly Preference[],
  span: Span,
): MachineFootage[] {
  const lasting = preferences.filter(
    ({ start }, index) => (preferences[index + 1]?.start ?? Number.POSITIVE_INFINITY) - start >= leastGapUs,
  );
  const shown = lasting.flatMap(({ start, machines }, index) => {
    const end = lasting[index + 1]?.start ?? span.end;
    const spell = { start: Math.max(start, span.start), end: Math.min(end, span.end) };
    return spell.start < spell.end ? shownByOrder(recorded, machines, spell) : [];
  });
  const begins = shown.filter(({ machine }, index) => machine !== shown[index - 1]?.machine);
  return begins.map(({ machine, start }, index) => ({
    machine,
    start: index === 0 ? span.start : start,
    end: begins[index + 1]?.start ?? span.end,
  }));
}

function shownByOrder(
  recorded: readonly MachineFootage[],
  machines: readonly string[],
  span: Span,
): MachineFootage[] {
  let shown: MachineFootage[] = [];
  const asked = recorded.flatMap((footage) => within(footage, span));
  for (const machine of machines) {
    const gaps = gapsOf(shown, span);
    const found = joined(asked.filter((one) => one.machine === machine)).flatMap((footage) =>
      gaps.flatMap((gap) => within(footage, gap)),
    );
    shown = [...shown, ...found].sort((a, b) => a.start - b.start);
  }
  return shown;
}

function within(footage: MachineFootage, span: Span): MachineFootage[] {
  const [start, end] = [Math.max(footage.start, span.start), Math.min(footage.end, span.end)];
  return start < end ? [{ ...footage, start, end }] : [];
}

function gapsOf(shown: readonly Span[], span: Span): Span[] {
  if (shown.length === 0) return [span];
  const gaps: Span[] = [];
  let from = span.start;
  for (const { start, end } of shown) {
    gaps.push({ start: from, end: start });
    from = Math.max(from, end);
  }
  gaps.push({ start: from, end: span.end });
  return gaps.filter(({ start, end }) => end - start >= leastGapUs);
}

function joined(footage: readonly MachineFootage[]): MachineFootage[] {
  const found: MachineFootage[] = [];
  for (const one of [...footage].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last && one.start - last.end < leastGapUs)
      found[found.length - 1] = { ...last, end: Math.max(last.end, one.end) };
    else found.push(one);
  }
  return found;
}
