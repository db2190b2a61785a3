/** A request that stays valid for a limited time after each renewal, and expires without one. */
export interface Lease {
  /** Interval at which one side renews it. */
  readonly renewMs: number;
  /** Time without a renewal after which it expires on the other side: long enough for renewals to be late or lost. */
  readonly expireMs: number;
}

/** Every lease, with both of its sides, which run in different processes and must agree. */
export const leases = {
  /** A detector requests frames, and for it the detector host encoded pictures (`UnitsCommand`); the pipeline publishes them while the lease is valid. */
  frames: { renewMs: 3000, expireMs: 10_000 },
  /** The web server requests a stream for its viewers (`LiveCommand`); the pipeline publishes it while the lease is valid. */
  live: { renewMs: 2000, expireMs: 7000 },
  /** Main requests a detector (`DetectCommand`); the detector host runs it while the lease is valid. */
  detector: { renewMs: 5000, expireMs: 15_000 },
  /** A detector reports its state (`DetectorReport`); main lists it as running while the lease is valid. */
  detectorReport: { renewMs: 3000, expireMs: 10_000 },
  /** A pipeline's process sends heartbeats; main kills it when they stop. */
  pipelineHeartbeat: { renewMs: 3000, expireMs: 15_000 },
  /** The same for the detector host, whose modules and models may take some seconds to load. */
  detectorHostHeartbeat: { renewMs: 3000, expireMs: 20_000 },
  /** The MQTT bridge works on an event; nats-server redelivers the event when the lease expires. */
  mqttDelivery: { renewMs: 10_000, expireMs: 30_000 },
} as const satisfies Record<string, Lease>;
