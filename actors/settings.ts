import type { DetectCommand, FramesCommand } from '../bus/command-messages.ts';
import { highestRate } from '../bus/frame-rate-limit.ts';
import type { LogSettings } from '../bus/logging/logger.ts';
import { frameFormats } from '../bus/messages.ts';
import type { BusAddress } from '../bus/nats/bus-address.ts';
import type { PipelineSession, VideoSource } from '../pipelines/protocol/pipeline-protocol.ts';
import type { Config } from '../store/config/config.ts';
import type { DetectorSettings } from '../store/detectors/detector-section.ts';
import { resolveMediaFile } from '../store/monitors/media-file.ts';
import { type MonitorConfig, maxPatienceMs, sectionOf } from '../store/monitors/monitor-config.ts';
import type { RetentionRules } from '../store/recordings/retention/retention-rules.ts';
import type { DetectorDefinition, FrameNeed } from './detectors/detector-contract.ts';

/** Converts a monitor's stored configuration to the settings of its actors. */

export function logSettings({ logs, debugLogStdout }: Config): LogSettings {
  return { repeatLimit: logs.repeatLimit, printDebug: debugLogStdout };
}

/** A detector that runs on a monitor, with its settings. */
export interface EnabledDetector {
  readonly name: string;
  readonly settings: DetectorSettings;
  readonly frames: FrameNeed;
}

/** The detectors that are enabled on this monitor. */
export function enabledDetectors(
  monitor: MonitorConfig,
  detectors: readonly DetectorDefinition[],
  config: Config,
): EnabledDetector[] {
  const runs = (name: string) =>
    monitor.enable && config.detectors.includes(name) && sectionOf(monitor, name)?.enable === true;
  return detectors.flatMap((definition) => {
    const { name } = definition;
    const section = sectionOf(monitor, name);
    if (!section || !runs(name)) return [];
    const settings = definition.adapt?.(section, runs) ?? section;
    return [{ name, settings, frames: definition.frames(settings) }];
  });
}

/**
 * The frames that are made for all of these: per format, at the highest rate that one of them needs, of the sub stream
 * where there is one, unless one of them needs the main stream.
 */
export function madeFrames(monitor: MonitorConfig, enabled: readonly EnabledDetector[]): FramesCommand[] {
  const hasSub = monitor.source === 'rtsp' && Boolean(monitor.sourcertsp.subStream);
  return frameFormats.flatMap((format) => {
    const needs = enabled.map(({ frames }) => frames).filter((need) => need.format === format);
    if (needs.length === 0) return [];
    const isMain = !hasSub || needs.some(({ main }) => main === true);
    return [{ format, rate: highestRate(needs.map(({ rate }) => rate)), stream: isMain ? 'main' : 'sub' }];
  });
}

/** The request to the detector host; `settings` is null if the detector is disabled on this monitor. */
export function detectCommand(
  monitor: MonitorConfig,
  detector: string,
  enabled: readonly EnabledDetector[],
): DetectCommand {
  const command = { detector, monitorName: monitor.name };
  const own = enabled.find(({ name }) => name === detector);
  const made = madeFrames(monitor, enabled).find(({ format }) => format === own?.frames.format);
  if (!own || !made) return { ...command, maxFrameRate: 0, settings: null, frames: null };
  const maxFrameRate = made.rate === own.frames.rate ? 0 : own.frames.rate;
  return { ...command, maxFrameRate, settings: own.settings, frames: made };
}

/** Seconds for which the monitor records after an event of this source. */
export function recordSeconds(
  monitor: MonitorConfig | undefined,
  source: string,
  detectors: readonly DetectorDefinition[],
): number {
  const definition = detectors.find(({ name }) => name === source);
  const section = monitor && sectionOf(monitor, source);
  return definition && section ? definition.recordSeconds(section) : 0;
}

/** Detection takes its time, and the machine may be busy. */
const usualLateMs = 2000;
const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const usualMinHours = 1;

/** What is kept of a monitor's recordings, also of a monitor that was deleted. */
export function retentionRules(monitor: MonitorConfig | undefined): RetentionRules {
  const { maxDays, maxGigabytes, minHours = usualMinHours, events = {} } = monitor?.retention ?? {};
  return {
    ...(maxDays !== undefined && { maxAgeMs: maxDays * dayMs }),
    ...(maxGigabytes !== undefined && { maxBytes: maxGigabytes * 1e9 }),
    minMs: minHours * hourMs,
    eventMs: new Map(Object.entries(events).map(([label, days]) => [label, days * dayMs])),
  };
}

/** @throws if the monitor's source cannot be used. */
export async function pipelineSession(
  monitor: MonitorConfig,
  config: Config,
  {
    patienceMs,
    detectors,
    recordingsDir,
    bus,
  }: {
    readonly patienceMs: number;
    readonly detectors: readonly DetectorDefinition[];
    readonly recordingsDir: string;
    readonly bus: BusAddress;
  },
): Promise<PipelineSession> {
  const enabled = enabledDetectors(monitor, detectors, config);
  return {
    monitorID: monitor.id,
    source: await pipelineSource(monitor, config),
    patienceMs,
    maxPatienceMs: maxPatienceMs(monitor),
    recordingsDir,
    alwaysRecord: monitor.alwaysRecord,
    recordSubStream: monitor.recordSubStream ?? false,
    videoLength: monitor.videoLength * 60_000,
    eventsLateMs: Math.max(usualLateMs, ...enabled.map(({ frames }) => frames.lateMs ?? 0)),
    isSubDetected: madeFrames(monitor, enabled).some(({ stream }) => stream === 'sub'),
    bus,
    log: logSettings(config),
  };
}

/** @throws {StoreError} when a file cannot be played. */
export async function pipelineSource(
  monitor: MonitorConfig,
  { mediaDir }: Pick<Config, 'mediaDir'>,
): Promise<VideoSource> {
  switch (monitor.source) {
    case 'rtsp': {
      const { protocol, mainStream: main, subStream: sub } = monitor.sourcertsp;
      return { kind: 'rtsp', protocol, main, ...(sub && { sub }) };
    }
    case 'file': {
      const { path, loop } = monitor.sourcefile;
      return { kind: 'file', path: await resolveMediaFile(mediaDir, path), loop };
    }
    case 'test':
      return { kind: 'test' };
  }
}
