import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { Logger } from '../bus/log.ts';
import { Outbox } from '../bus/outbox.ts';
import { forgetSubject } from '../bus/streams.ts';
import { commands, status } from '../bus/subjects.ts';
import { nowMicroseconds } from '../bus/time.ts';
import { type DetectorInput, DetectorRefusedError, detectorMachine } from './detector.ts';
import { detectorHostMachine, hostProcess } from './detector-host.ts';
import { monitorMachine } from './monitor.ts';
import { detectionsActor, pipelineActor } from './pipeline.ts';
import { reporterActor } from './reporter.ts';
import { openServices, type Services, type Stored } from './services.ts';
import {
  type DetectorName,
  detectorNames,
  detectorSettings,
  logSettings,
  pipelineSession,
  recordFor,
} from './settings.ts';
import { type Crew, type Member, systemMachine } from './system.ts';

const statusLimit = 1000;
const statusDeadline = 2000;
const recordAttempts = 10;
const recordPause = 300;

/**
 * The root machine with its real actors, and what it needs.
 *
 * @param onOpen is called once the services are open.
 */
export function assemble(stored: Stored, logger: Logger, onOpen: (services: Services) => void) {
  const { config, monitors } = stored;
  const log = logger.source('monitor');
  const statuses = new Outbox(statusLimit, () => {});
  let services: Services | undefined;

  /** The services: actors are only spawned once they are open. */
  const opened = (): Services => {
    if (!services) throw new Error('the services are not open yet');
    return services;
  };

  const crew: Crew = {
    async open() {
      services = await openServices(stored, logger);
      statuses.attach(services.bus);
      onOpen(services);
    },
    close: () => opened().close(),
    listen(send) {
      const { bus } = opened();
      const forget = bus.answer(commands.apply, ['*'], ({ restart }, [, monitorID = '']) => {
        send({ type: 'apply', monitorID, restart });
      });
      const forgetReconnect = bus.onReconnect(() => send({ type: 'reconcile' }));
      return () => {
        forget();
        forgetReconnect();
      };
    },
    monitorIDs: () => monitors.list().map(({ id }) => id),
    members(monitorID) {
      const monitor = monitors.get(monitorID);
      if (!monitor) return [];
      const detector = (name: DetectorName): Member => ({
        kind: 'detector',
        id: `${monitorID}.${name}`,
        input: {
          monitorID,
          detector: name,
          monitorName: monitor.name,
          settings: detectorSettings(monitor, name, config),
        },
      });
      return [
        { kind: 'monitor', id: monitorID, input: { config: monitor, random: Math.random } },
        ...detectorNames.map(detector),
      ];
    },
    forget: (monitorID) => void forgetStatus(monitorID),
    log: (message) => logger.source('app').error(message),
  };

  /** Nobody who reads the last statuses is to see a monitor that is gone. */
  async function forgetStatus(monitorID: string): Promise<void> {
    await statuses.flush(statusDeadline);
    await forgetSubject(opened().bus, 'STATUS', status.subject(monitorID)).catch(() => {});
  }

  async function record({ monitorID, until }: { monitorID: string; until: number }): Promise<void> {
    for (let attempt = 1; until > nowMicroseconds(); attempt += 1) {
      try {
        await opened().bus.request(commands.record, [monitorID], { until });
        return;
      } catch (error) {
        // The pipeline or main may be just about to find the bus. Later, the next connection is told anew.
        if (attempt === recordAttempts) {
          log.warning(`recording was not started: ${(error as Error).message}`, monitorID);
          return;
        }
        await sleep(recordPause);
      }
    }
  }

  async function ask({ monitorID, detector, monitorName, settings }: DetectorInput): Promise<void> {
    const reply = await opened().bus.request(commands.detect, [monitorID], {
      detector,
      monitorName,
      settings,
    });
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
        actions: { report: (_, { how }) => crew.log(`the detector host ended (${how}), starting it again`) },
      }),
      detector: detectorMachine.provide({
        actors: { ask: fromPromise<void, DetectorInput>(({ input }) => ask(input)) },
        actions: {
          complain: (_, { monitorID, detector, reason }) => logger.source(detector).error(reason, monitorID),
        },
      }),
      monitor: monitorMachine.provide({
        actors: {
          pipeline: pipelineActor((monitor) =>
            pipelineSession(monitor, config, { recordingsDir, bus: opened().busAddress }),
          ),
          detections: detectionsActor(
            () => opened().bus,
            detectorNames,
            (monitorID, source) => recordFor(monitors.get(monitorID), source),
          ),
          reporter: reporterActor(() => statuses, log),
        },
        actions: { record: (_, params) => void record(params) },
      }),
    },
  });
  return { machine, crew };
}
