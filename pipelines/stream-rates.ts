import type { FrameRates } from './gstreamer/pipeline-description.ts';
import type { PipelineSession } from './protocol/pipeline-protocol.ts';

/** The frames that are made of each stream: of the sub stream where there is one, unless a detector needs the main one. */
export function ratesByStream({ source, frames }: PipelineSession): {
  readonly main: FrameRates;
  readonly sub: FrameRates;
} {
  const { gray, rgb } = frames;
  const all: FrameRates = [
    ...(gray ? [['gray', gray.rate] as const] : []),
    ...(rgb ? [['rgb', rgb.rate] as const] : []),
  ];
  if (source.kind !== 'rtsp' || source.sub === undefined) return { main: all, sub: [] };
  const isMain = ([format]: FrameRates[number]) => format === 'rgb' && rgb?.main === true;
  return { main: all.filter(isMain), sub: all.filter((one) => !isMain(one)) };
}
