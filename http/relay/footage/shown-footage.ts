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

/**
 * A gap that is shorter, as between two files of one machine, is not filled with what another one has, and a preference that is
 * shorter is not heeded.
 */
const leastGapUs = 1_000_000;

/**
 * Which machine's footage of a monitor is shown when: that of the first one, and where it has none, that of the next.
 *
 * @param preferences in the order of time; the first one begins before the span, or with it.
 * @returns parts that follow each other and fill the whole span, so that each may have an end without footage; none if nothing
 * was recorded.
 */
export function shownFootage(
  recorded: readonly MachineFootage[],
  preferences: readonly Preference[],
  span: Span,
): MachineFootage[] {
  const footage = joined(recorded.flatMap((one) => within(one, span)));
  const shown = preferences.flatMap(({ start, machines }, index) => {
    const end = preferences[index + 1]?.start ?? span.end;
    const spell = { start: Math.max(start, span.start), end: Math.min(end, span.end) };
    return spell.start < spell.end ? shownByOrder(footage, machines, spell) : [];
  });
  const lasting = oneAfterAnother(withoutBrief(oneAfterAnother(shown), span));
  return lasting.map(({ machine, start }, index) => ({
    machine,
    start: index === 0 ? span.start : start,
    end: lasting[index + 1]?.start ?? span.end,
  }));
}

function shownByOrder(
  footage: readonly MachineFootage[],
  machines: readonly string[],
  span: Span,
): MachineFootage[] {
  let shown: MachineFootage[] = [];
  for (const machine of machines) {
    const gaps = gapsOf(shown, span);
    const found = footage
      .filter((one) => one.machine === machine)
      .flatMap((one) => gaps.flatMap((gap) => within(one, gap)));
    shown = [...shown, ...found].sort((a, b) => a.start - b.start);
  }
  return shown;
}

/** What follows something of the same machine is one with it. */
function oneAfterAnother(shown: readonly MachineFootage[]): MachineFootage[] {
  const parts: MachineFootage[] = [];
  for (const part of shown) {
    const before = parts.at(-1);
    if (before?.machine === part.machine) parts[parts.length - 1] = { ...before, end: part.end };
    else parts.push(part);
  }
  return parts;
}

/** Without those that fill less than the least gap between what is shown before and after them; one is left in any case. */
function withoutBrief(shown: readonly MachineFootage[], span: Span): MachineFootage[] {
  const lasting: MachineFootage[] = [];
  for (const [index, part] of shown.entries()) {
    const { end: from = span.start } = lasting.at(-1) ?? {};
    const { start: to = span.end } = shown[index + 1] ?? {};
    const isLeft = lasting.length === 0 && index === shown.length - 1;
    if (isLeft || to - from >= leastGapUs) lasting.push(part);
  }
  return lasting;
}

function within(footage: MachineFootage, span: Span): MachineFootage[] {
  const [start, end] = [Math.max(footage.start, span.start), Math.min(footage.end, span.end)];
  return start < end ? [{ ...footage, start, end }] : [];
}

function gapsOf(shown: readonly Span[], span: Span): Span[] {
  const gaps: Span[] = [];
  let from = span.start;
  for (const { start, end } of shown) {
    gaps.push({ start: from, end: start });
    from = Math.max(from, end);
  }
  return [...gaps, { start: from, end: span.end }];
}

/** What a machine has with less than the least gap between is one. In the order of time. */
function joined(footage: readonly MachineFootage[]): MachineFootage[] {
  const found: MachineFootage[] = [];
  const last = new Map<string, number>();
  for (const one of [...footage].sort((a, b) => a.start - b.start)) {
    const index = last.get(one.machine) ?? -1;
    const before = found[index];
    if (before && one.start - before.end < leastGapUs)
      found[index] = { ...before, end: Math.max(before.end, one.end) };
    else last.set(one.machine, found.push(one) - 1);
  }
  return found;
}
