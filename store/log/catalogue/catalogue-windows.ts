import { parseRecordingID } from '../../../bus/recording-id.ts';

/** A part of the catalogue at one end of what is asked. */
export interface CatalogueWindow {
  /** Ids from this one on, and before this one. */
  readonly fromId?: string;
  readonly toId?: string;
  /** The same by the beginnings of the recordings, roughly: they are compared much faster. */
  readonly fromUs?: number;
  readonly toUs?: number;
}

interface Page {
  readonly id?: string;
  readonly end?: number;
  readonly before?: string;
  readonly after?: string;
  readonly monitors?: readonly string[];
  readonly limit: number;
  readonly oldestFirst: boolean;
}

const dayUs = 86_400_000_000;
/** Days of the windows that are tried before everything is read. */
const windowDays = [2, 16, 128];
/** Days of one that is tried before these for all monitors: most have several, and what is sorted is eight times less. */
const narrowDays = 0.25;
/** A beginning that was corrected later may differ from the one in the id. */
const slackUs = dayUs;
/** Longer pages are read for all of the catalogue. */
const longestPage = 500;

/**
 * Where a page is looked for first: pages are short, and their recordings are near to each other. Ids begin with the second
 * of the beginning, so a window that holds a whole page holds the right one.
 */
export function catalogueWindows(page: Page, nowUs: number): CatalogueWindow[] {
  const ownUs = secondOf(page.id);
  if (ownUs !== undefined) return [{ fromUs: ownUs - slackUs, toUs: ownUs + slackUs }];
  if (page.limit > longestPage) return [];
  const anchorUs = page.oldestFirst
    ? secondOf(page.after)
    : (secondOf(page.before) ?? Math.min(page.end ?? nowUs, nowUs));
  if (anchorUs === undefined) return [];
  const isOfAll = (page.monitors?.length ?? 0) === 0;
  return [...(isOfAll ? [narrowDays] : []), ...windowDays].map((days) => {
    const borderUs = anchorUs + (page.oldestFirst ? days : -days) * dayUs;
    const border = new Date(borderUs / 1000)
      .toISOString()
      .slice(0, 19)
      .replace('T', '_')
      .replaceAll(':', '-');
    if (page.oldestFirst) return { toId: border, fromUs: anchorUs - slackUs, toUs: borderUs + slackUs };
    const toUs = page.before === undefined ? {} : { toUs: anchorUs + slackUs };
    return { fromId: border, fromUs: borderUs - slackUs, ...toUs };
  });
}

/** When a recording begins, to the second: Unix time in microseconds; undefined if this is no id. */
function secondOf(id: string | undefined): number | undefined {
  const startMs = parseRecordingID(id ?? '')?.startMs;
  return startMs === undefined || Number.isNaN(startMs) ? undefined : startMs * 1000;
}
