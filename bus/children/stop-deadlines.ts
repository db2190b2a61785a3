/**
 * Time limits of the steps of a stop, in milliseconds. After that the enclosing step continues without it, or kills it. Each
 * leaves time for those inside it, see `stopStages`.
 */
export const stopDeadlinesMs = {
  /** Main, from SIGTERM on; then it kills itself. */
  recorder: 30_000,

  /** All monitors, all detectors and the detector host, which stop at once. */
  actors: 8000,
  /** A session, from the order to its last report. Its process may take its own time after that, if it had it for itself. */
  pipeline: 6500,
  /** What the session does itself; after that it hangs. */
  session: 5000,
  /** The rest of what the camera sent, up to the end of its stream. */
  streamDrain: 1000,
  /** The last fragment and the name of a recording, on a disk that is slow. */
  recordingFile: 3000,
  pipelineLog: 500,
  /** The last report, which says how it ended. */
  pipelineReport: 500,
  /** A process without sessions. */
  pipelineProcess: 1200,
  detectorHost: 2000,
  /** Snapshots, and the threads of the models. */
  detectorThreads: 1500,
  /** Events that detectors publish at their end. */
  detectorEvents: 500,
  detectorLog: 500,

  /** Everything that runs beside the monitors, one after the other. */
  services: 20_000,
  http: 3000,
  webSockets: 2000,
  requests: 2000,
  mqtt: 2500,
  mqttConsumer: 1000,
  mqttReports: 1000,
  logStore: 6000,
  /** Commits what has arrived and closes the database. */
  logThread: 5000,
  retention: 1000,
  mainLog: 1000,
  bus: 1500,
  busDrain: 1000,
  natsServer: 3500,
  natsServerExit: 3000,
} as const;
export type StopStep = keyof typeof stopDeadlinesMs;

export interface StopStage {
  readonly whole: StopStep;
  readonly parts: readonly StopStep[];
  /** Otherwise one after the other. */
  readonly atOnce?: true;
}

/** The parts of each step. A test checks that the parts take less than the whole. */
export const stopStages: readonly StopStage[] = [
  { whole: 'recorder', parts: ['actors', 'services'] },
  { whole: 'actors', parts: ['pipeline', 'detectorHost'], atOnce: true },
  { whole: 'pipeline', parts: ['session'] },
  { whole: 'session', parts: ['streamDrain', 'recordingFile'] },
  { whole: 'pipelineProcess', parts: ['pipelineLog', 'pipelineReport'] },
  { whole: 'detectorHost', parts: ['detectorThreads'] },
  { whole: 'detectorThreads', parts: ['detectorEvents', 'detectorLog'], atOnce: true },
  {
    whole: 'services',
    parts: ['pipelineProcess', 'http', 'mqtt', 'logStore', 'retention', 'mainLog', 'bus', 'natsServer'],
  },
  { whole: 'http', parts: ['webSockets', 'requests'], atOnce: true },
  { whole: 'mqtt', parts: ['mqttConsumer', 'mqttReports'] },
  { whole: 'logStore', parts: ['logThread'] },
  { whole: 'bus', parts: ['busDrain'] },
  { whole: 'natsServer', parts: ['natsServerExit'] },
];

/** Time after main's end at which a hanging child is killed: before that it may finish a recording, or write its streams. */
export const orphanMs = 4000;
