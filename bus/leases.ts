/** Something that is held for a while after each renewal, and let go by itself when none comes. */
export interface Lease {
  /** The one side renews it this often. */
  readonly renewMs: number;
  /** The other side lets go after this long without a renewal: three may be late or lost before that. */
  readonly expireMs: number;
}

/** Every lease, with both of its sides: they run in different processes and must agree. */
export const leases = {
  /** A detector asks for frames (`FramesCommand`); the pipeline decodes meanwhile. */
  frames: { renewMs: 3000, expireMs: 10_000 },
  /** Main asks for a detector (`DetectCommand`); the detector host runs it meanwhile. */
  detector: { renewMs: 5000, expireMs: 15_000 },
  /** A detector reports what it does (`DetectorReport`); main counts it as running meanwhile. */
  detectorReport: { renewMs: 3000, expireMs: 10_000 },
  /** The event loop of a pipeline's process turns; main lets it live meanwhile. */
  pipelineHeartbeat: { renewMs: 1000, expireMs: 15_000 },
  /** The same of the detector host, whose modules and models may take some seconds to load. */
  detectorHostHeartbeat: { renewMs: 3000, expireMs: 20_000 },
  /** The MQTT bridge works on an event; nats-server gives it to nobody else meanwhile. */
  mqttDelivery: { renewMs: 10_000, expireMs: 30_000 },
} as const satisfies Record<string, Lease>;
