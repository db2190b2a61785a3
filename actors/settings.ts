import type { LogSettings } from '../bus/logging/logger.ts';
import type { DetectCommand } from '../bus/messages.ts';
import type { BusAddress } from '../bus/nats/bus.ts';
import type { PipelineSession, VideoSource } from '../pipelines/pipeline-protocol.ts';
import type { Config } from '../store/config/config.ts';
import { resolveMediaFile } from '../store/monitors/media-file.ts';
import type { MonitorConfig } from '../store/monitors/monitor-config.ts';

/** From what a user stores about a monitor to what its actors are told. */

export const detectorNames = ['motion', 'tflite'] as const;
export type DetectorName = (typeof detectorNames)[number];

export function logSettings({ logs, debugLogStdout }: Config): LogSettings {
  return { repeatLimit: logs.repeatLimit, printDebug: debugLogStdout };
}

/** @returns null when the detector is not to watch this monitor. */
export function detectorSettings(
  monitor: MonitorConfig,
  detector: DetectorName,
  config: Config,
): DetectCommand['settings'] {
  const section = monitor[detector];
  if (!section?.enable || !monitor.enable || !config.plugins[detector]) return null;
  if (detector === 'motion') return section;
  // Without motion detection nothing would ever say that there is motion.
  const motion = detectorSettings(monitor, 'motion', config) !== null;
  return { ...section, whileMotion: motion && monitor.tflite?.whileMotion !== false };
}

/** For how many seconds after an event of this source the monitor records. */
export function recordFor(monitor: MonitorConfig | undefined, source: string): number {
  if (source === 'motion') return monitor?.motion?.duration ?? 0;
  if (source === 'tflite') return monitor?.tflite?.duration ?? 0;
  return 0;
}

/** @throws when the monitor's source cannot be used. */
export async function pipelineSession(
  monitor: MonitorConfig,
  config: Config,
  { recordingsDir, bus }: { recordingsDir: string; bus: BusAddress },
): Promise<PipelineSession> {
  const motion = detectorSettings(monitor, 'motion', config) ? monitor.motion : undefined;
  const tflite = detectorSettings(monitor, 'tflite', config) ? monitor.tflite : undefined;
  return {
    monitorID: monitor.id,
    source: await pipelineSource(monitor, config),
    recordingsDir,
    alwaysRecord: monitor.alwaysRecord,
    videoLength: monitor.videoLength * 60_000,
    frames: {
      ...(motion && { gray: { rate: motion.feedRate } }),
      ...(tflite && { rgb: { rate: tflite.feedRate, main: !tflite.useSubStream } }),
    },
    bus,
    log: logSettings(config),
  };
}

async function pipelineSource(monitor: MonitorConfig, { mediaDir }: Config): Promise<VideoSource> {
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
