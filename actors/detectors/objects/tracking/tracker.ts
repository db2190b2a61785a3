import { type BoundingBox, type DetectedBox, intersectionOverUnion } from '../picture/bounding-box.ts';
import { assign } from './assignment.ts';
import { MovingBox } from './kalman.ts';

/** An object followed over several frames. */
export interface Track {
  readonly label: string;
  /** Current position, measured or predicted. */
  readonly box: BoundingBox;
  /** Times of the first and the last detection. */
  readonly beginUs: number;
  readonly seenUs: number;
  /** Detection in the last analysed frame; undefined if there was none. */
  readonly detection: DetectedBox | undefined;
  /** The detection's score is at or above the threshold. */
  readonly strong: boolean;
  /** Detected in two of three consecutive frames. */
  readonly confirmed: boolean;
  /** It has not moved for 8 s. */
  readonly parked: boolean;
}

export interface TrackerOptions {
  /** Label → minimum score, 0 to 1, of a strong detection. */
  readonly thresholds: ReadonlyMap<string, number>;
  /** Time that an object may be out of sight without losing its track. */
  readonly patienceUs: number;
}

/** The least IoU of a detection and the predicted box of its track. */
const minOverlap = 0.2;
/** For fast objects, without overlap: the greatest distance of the two, in sizes of the box. */
const maxDistance = 1.2;
const parkedAfterUs = 8_000_000;
/** A parked object out of sight is probably hidden or missed by the model, so its track is kept longer. */
const parkedPatienceUs = 10 * 60 * 1e6;
/** An object has moved if the IoU with its former place is less than this. */
const samePlace = 0.6;
/** A moving object in a region that is not analysed is dropped after this multiple of the patience. */
const forgottenAfter = 3;
const maxTracks = 128;
const lookback = 0b111;

/**
 * Follows objects from frame to frame, as SORT does: a Kalman filter predicts every track; tracks and detections are
 * matched for the greatest total overlap, label by label.
 *
 * Detections below the threshold continue a confirmed track; they neither begin nor confirm one.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  #tracks: MutableTrack[] = [];
  #timeUs: number | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  /**
   * @param timeUs time of the frame, later than that of the previous one.
   * @param analysed the region of the frame that was analysed. Tracks outside it are not counted as missed.
   * @returns the confirmed tracks that have ended.
   */
  update(timeUs: number, detections: readonly DetectedBox[], analysed: BoundingBox): Track[] {
    const passedUs = timeUs - (this.#timeUs ?? timeUs);
    this.#timeUs = timeUs;
    for (const track of this.#tracks) track.predict(passedUs);
    const strong = detections.filter(({ label, score }) => score >= this.#threshold(label));
    const weak = detections.filter(({ label, score }) => score < this.#threshold(label));
    const left = this.#match(this.#tracks, strong, overlap, minOverlap, timeUs);
    const open = () => this.#tracks.filter(({ detection }) => detection === undefined);
    this.#match(
      open().filter(({ confirmed }) => confirmed),
      weak,
      overlap,
      minOverlap,
      timeUs,
    );
    const fresh = this.#match(open(), left, nearness, 0, timeUs);
    for (const track of open()) if (contains(analysed, track.box)) track.miss();

    const ended = this.#tracks.filter((track) => this.#isOver(track, timeUs));
    this.#tracks = this.#tracks.filter((track) => !ended.includes(track));
    for (const detection of fresh) {
      if (this.#tracks.length < maxTracks)
        this.#tracks.push(new MutableTrack(detection, timeUs, this.#threshold(detection.label)));
    }
    return ended.filter(({ confirmed }) => confirmed);
  }

  /**
   * Pauses tracking. Objects detected in the last analysed frame count as parked. Objects out of sight are dropped,
   * unless they were parked: then they are probably hidden or were missed by the model.
   *
   * @returns the confirmed tracks that have ended.
   */
  rest(): Track[] {
    const gone = this.#tracks.filter(
      ({ confirmed, misses, parked }) => !confirmed || (misses > 0 && !parked),
    );
    this.#tracks = this.#tracks.filter((track) => !gone.includes(track));
    for (const track of this.#tracks) track.parked = true;
    // Idle time does not count: no prediction and no misses.
    this.#timeUs = undefined;
    return gone.filter(({ confirmed }) => confirmed);
  }

  /** Ends all tracks. @returns the confirmed ones. */
  clear(): Track[] {
    const ended = this.#tracks.filter(({ confirmed }) => confirmed);
    this.#tracks = [];
    this.#timeUs = undefined;
    return ended;
  }

  /** @returns the detections that match no track. */
  #match(
    tracks: readonly MutableTrack[],
    detections: readonly DetectedBox[],
    likeness: (track: MutableTrack, detection: DetectedBox) => number,
    minLikeness: number,
    timeUs: number,
  ): DetectedBox[] {
    const left = new Set(detections);
    const likenesses = tracks.map((track) =>
      detections.map((detection) => (track.label === detection.label ? likeness(track, detection) : 0)),
    );
    assign(likenesses.map((row) => row.map((value) => (value > minLikeness ? 1 - value : 2)))).forEach(
      (column, row) => {
        const detection = detections[column];
        if (!detection || (likenesses[row]?.[column] ?? 0) <= minLikeness) return;
        tracks[row]?.take(detection, timeUs);
        left.delete(detection);
      },
    );
    return [...left];
  }

  #isOver(track: MutableTrack, timeUs: number): boolean {
    const { patienceUs } = this.#options;
    const unseenUs = timeUs - track.seenUs;
    if (track.parked) return track.misses > 2 && track.missedUs > parkedPatienceUs;
    // A moving object is soon somewhere else, whether or not its region was analysed.
    if (unseenUs > forgottenAfter * patienceUs) return true;
    return track.confirmed ? track.misses > 2 && unseenUs > patienceUs : track.misses > 1;
  }

  #threshold(label: string): number {
    return this.#options.thresholds.get(label) ?? Number.POSITIVE_INFINITY;
  }
}

class MutableTrack implements Track {
  readonly label: string;
  readonly beginUs: number;
  seenUs: number;
  detection: DetectedBox | undefined;
  confirmed = false;
  parked = false;
  /** Analysed frames without a detection since the last one with it. */
  misses = 0;
  /** Time since the first of these frames. */
  missedUs = 0;
  readonly #moving: MovingBox;
  readonly #threshold: number;
  /** One bit per analysed frame, the newest lowest: whether the object was detected. */
  #history = 1;
  /** Place and time of its last arrival. */
  #place: BoundingBox;
  #sinceUs: number;

  constructor(detection: DetectedBox, timeUs: number, threshold: number) {
    this.label = detection.label;
    this.beginUs = timeUs;
    this.seenUs = timeUs;
    this.detection = detection;
    this.#moving = new MovingBox(detection.box);
    this.#place = detection.box;
    this.#sinceUs = timeUs;
    this.#threshold = threshold;
  }

  get strong(): boolean {
    return this.detection !== undefined && this.detection.score >= this.#threshold;
  }

  get box(): BoundingBox {
    return this.parked && !this.detection ? this.#place : this.#moving.box;
  }

  predict(passedUs: number): void {
    this.detection = undefined;
    if (this.misses > 0) this.missedUs += passedUs;
    // A parked object that is out of sight keeps its place.
    if (!this.parked || this.misses === 0) this.#moving.predict(passedUs / 1e6);
  }

  take(detection: DetectedBox, timeUs: number): void {
    this.detection = detection;
    this.seenUs = timeUs;
    this.misses = 0;
    this.missedUs = 0;
    this.#moving.correct(detection.box);
    this.#remember(1);
    if (intersectionOverUnion(this.#place, this.#moving.box) < samePlace) {
      this.#place = this.#moving.box;
      this.#sinceUs = timeUs;
      this.parked = false;
    } else if (timeUs - this.#sinceUs >= parkedAfterUs) {
      this.parked = true;
    }
  }

  miss(): void {
    this.misses += 1;
    this.#moving.steady();
    this.#remember(0);
  }

  #remember(bit: number): void {
    this.#history = ((this.#history << 1) | bit) & lookback;
    const seen = (this.#history & 1) + ((this.#history >> 1) & 1) + ((this.#history >> 2) & 1);
    if (seen >= 2) this.confirmed = true;
  }
}

function overlap(track: MutableTrack, detection: DetectedBox): number {
  return intersectionOverUnion(track.box, detection.box);
}

/** 1 at the same place, 0 at `maxDistance`. */
function nearness(track: MutableTrack, { box }: DetectedBox): number {
  const at = track.box;
  const size = Math.max(at.right - at.left, at.bottom - at.top);
  const x = (box.left + box.right - at.left - at.right) / 2;
  const y = (box.top + box.bottom - at.top - at.bottom) / 2;
  return Math.max(0, 1 - Math.hypot(x, y) / (maxDistance * size));
}

function contains({ left, top, right, bottom }: BoundingBox, inner: BoundingBox): boolean {
  // An object that has left the frame counts as missed at the frame's edge.
  const inside = (value: number) => Math.min(1, Math.max(0, value));
  const [x, y] = [inside((inner.left + inner.right) / 2), inside((inner.top + inner.bottom) / 2)];
  return x >= left && x <= right && y >= top && y <= bottom;
}
