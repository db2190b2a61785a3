import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import { wallClockUs } from '../bus/base/time.ts';
import type { Logger } from '../bus/logging/logger.ts';
import { forgetSubject } from '../bus/nats/jetstream.ts';
import { Outbox } from '../bus/nats/outbox.ts';
import { commands, status } from '../bus/subjects.ts';
import { PipelinePool } from '../pipelines/host/pipeline-pool.ts';
import { type DetectorInput, DetectorRefusedError, detectorMachine } from './machines/detector.ts';
import { detectorHostMachine, hostProcess } from './machines/detector-host.ts';
import { monitorMachine } from './machines/monitor.ts';
import { type MonitorChild, type SystemServices, systemMachine } from './machines/system.ts';
import { detectionsActor, pipelineActor } from './pipeline-actors.ts';
import {
  type Ground,
  openGround,
  openServices,
  type RecorderServices,
  type StoredState,
} from './services.ts';
import { detectCommand, enabledDetectors, logSettings, pipelineSession, recordSeconds } from './settings.ts';
import { statusPublisherActor } from './status-publisher.ts';

const statusLimit = 1000;
const statusDeadlineMs = 2000;
const recordAttempts = 10;
const recordPauseMs = 300;

/**
 * The root machine with its real actors, and its services.
 *
 * @param onOpen is called once the services are open.
 */
export function wireSystem(
  stored: StoredState,
  logger: Logger,
  onOpen: (services: RecorderServices) => void,
) {
  const { config, monitors, detectors } = stored;
  const log = logger.source('monitor');
  const statuses = new Outbox(statusLimit, () => {});
  const pipelines = new PipelinePool({
    monitorsPerProcess: config.monitorsPerProcess,
    log: logger.source('recorder'),
  });
  let ground: Ground | undefined;
  let opening: Promise<void> | undefined;

  /** Actors are only spawned once it is there. */
  const opened = (): Ground => {
    if (!ground) throw new Error('the bus is not open yet');
    return ground;
  };

  const system: SystemServices = {
    async open() {
      const cameras = monitors.list().filter(({ enable, source }) => enable && source === 'rtsp').length;
      pipelines.prepare(cameras, config.storageDir);
      try {
        ground = await openGround(stored, logger);
      } catch (error) {
        await pipelines.close();
        throw error;
      }
      statuses.attach(ground.bus);
    },
    serve() {
      opening = openServices(opened()).then(onOpen);
      return opening;
    },
    async close() {
      // At the same time as the others, which have the whole time of a stop.
      void opened().cluster?.close();
      await pipelines.close();
      // What is half open cannot be closed in order.
      await opening?.catch(() => {});
      await opened().closers.closeAll();
    },
    listen(send) {
      const { bus, cluster } = opened();
      const forget = bus.respond(commands.apply, ['*'], ({ restart }, [, monitorID = '']) => {
        send({ type: 'apply', monitorID, restart });
      });
      const forgetReconnect = bus.onReconnect(() => send({ type: 'reconcile' }));
      const apply = (monitorID: string) => send({ type: 'apply', monitorID, restart: false });
      const forgetCluster = cluster?.onChange(apply);
      return () => {
        forgetCluster?.();
        cluster?.leave();
        forget();
        forgetReconnect();
      };
    },
    monitorIDs: () => monitors.list().map(({ id }) => id),
    children(monitorID) {
      const found = monitors.get(monitorID);
      if (!found) return [];
      // What another machine records is here as if it were disabled.
      const enable = found.enable && (opened().cluster?.attends(monitorID) ?? true);
      const monitor = enable === found.enable ? found : { ...found, enable };
      const enabled = enabledDetectors(monitor, detectors, config);
      const detector = (name: string): MonitorChild => ({
        kind: 'detector',
        input: { monitorID, ...detectCommand(monitor, name, enabled) },
      });
      return [
        { kind: 'monitor', input: { config: monitor, random: Math.random } },
        ...detectors.map(({ name }) => detector(name)),
      ];
    },
    monitorDeleted: (monitorID) => void forgetStatus(monitorID),
    log: (message) => logger.source('app').error(message),
  };

  /** Removes the last status of a deleted monitor, so that it no longer appears. */
  async function forgetStatus(monitorID: string): Promise<void> {
    await statuses.flush(statusDeadlineMs);
    await forgetSubject(opened().bus, 'STATUS', status.subject(monitorID)).catch(() => {});
  }

  async function record({ monitorID, until }: { monitorID: string; until: number }): Promise<void> {
    for (let attempt = 1; until > performance.now() * 1000; attempt += 1) {
      try {
        await opened().bus.request(commands.record, [monitorID], { until: wallClockUs(until / 1000) });
        return;
      } catch (error) {
        // Retried, because the pipeline or main may be reconnecting to the bus. After the last attempt, the next connection
        // repeats the command.
        if (attempt === recordAttempts) {
          log.warning(`recording was not started: ${(error as Error).message}`, monitorID);
          return;
        }
        await sleep(recordPauseMs);
      }
    }
  }

  async function ask({ monitorID, ...input }: DetectorInput): Promise<void> {
    const { detector, monitorName, maxFrameRate, settings, frames } = input;
    const command = { detector, monitorName, maxFrameRate, settings, frames };
    const reply = await opened().bus.request(commands.detect, [monitorID], command);
    if (!reply.ok) throw new DetectorRefusedError(reply.error);
  }

  const { configDir, storageDir } = config;
  const recordingsDir = join(storageDir, 'recordings');
  const machine = systemMachine.provide({
    actors: {
      host: detectorHostMachine.provide({
        actors: {
          process: hostProcess(() => ({
            bus: opened().busAddress,
            configDir,
            storageDir,
            log: logSettings(config),
          })),
        },
        actions: {
          report: (_, { how }) => system.log(`the detector host ${how}, starting it again`),
        },
      }),
      detector: detectorMachine.provide({
        actors: { ask: fromPromise<void, DetectorInput>(({ input }) => ask(input)) },
        actions: {
          complain: (_, { monitorID, detector, reason }) => logger.source(detector).error(reason, monitorID),
        },
      }),
      monitor: monitorMachine.provide({
        actors: {
          pipeline: pipelineActor(pipelines, ({ config: monitor, patienceMs }) =>
            pipelineSession(monitor, config, {
              ...{ patienceMs, detectors, recordingsDir },
              bus: opened().busAddress,
            }),
          ),
          detections: detectionsActor(
            () => opened().bus,
            detectors.map(({ name }) => name),
            (monitorID, source) => recordSeconds(monitors.get(monitorID), source, detectors),
          ),
          reporter: statusPublisherActor(() => statuses, log),
        },
        actions: { record: (_, params) => void record(params) },
      }),
    },
  });
  return { machine, services: system };
}
