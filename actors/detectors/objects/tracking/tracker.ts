import { type BoundingBox, type DetectedBox, intersectionOverUnion } from '../picture/bounding-box.ts';
import { assign } from './assignment.ts';
import { MovingBox } from './kalman.ts';

/** Something that was seen in more than one picture. */
export interface Track {
  readonly label: string;
  /** Where it is now, or is thought to be. */
  readonly box: BoundingBox;
  /** When it was first, and last, seen. */
  readonly beginUs: number;
  readonly seenUs: number;
  /** Its detection in the picture of the last look; undefined when it was not seen there. */
  readonly detection: DetectedBox | undefined;
  /** That detection is at or above the threshold. */
  readonly strong: boolean;
  /** Its label has held in two of three pictures. */
  readonly confirmed: boolean;
  /** It has not moved for a while. */
  readonly parked: boolean;
}

export interface TrackerOptions {
  /** The least score, 0 to 1, at which something counts as seen for each label. */
  readonly thresholds: ReadonlyMap<string, number>;
  /** For how long something may be out of sight and is still the same. */
  readonly patienceUs: number;
}

/** The least overlap of a detection with the place where its track is expected. */
const minOverlap = 0.2;
/** Without an overlap, because it is quick: how far it may be from there, in its own sizes. */
const maxDistance = 1.2;
const parkedAfterUs = 8_000_000;
/** What is out of sight at the place where it was parked was hidden, or overlooked. */
const parkedPatienceUs = 10 * 60 * 1e6;
/** What overlaps less than this with where it stood has moved. */
const sameplace = 0.6;
/** What moves and was not looked for is forgotten after so many times the patience. */
const forgottenAfter = 3;
const maxTracks = 128;
const lookback = 0b111;

/**
 * Follows what is seen from picture to picture, in the manner of SORT: every track is predicted with a Kalman
 * filter, tracks and detections are matched so that their boxes overlap most, label by label.
 *
 * Sightings below the threshold continue a confirmed track; they neither begin nor confirm one.
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
   * @param timeUs of the frame, later than the last one's.
   * @param looked is the part of the picture that the detections are of. What lies elsewhere is left as it is.
   * @returns the tracks that have ended.
   */
  update(timeUs: number, detections: readonly DetectedBox[], looked: BoundingBox): Track[] {
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
    for (const track of open()) if (contains(looked, track.box)) track.miss();

    const ended = this.#tracks.filter((track) => this.#isOver(track, timeUs));
    this.#tracks = this.#tracks.filter((track) => !ended.includes(track));
    for (const detection of fresh) {
      if (this.#tracks.length < maxTracks)
        this.#tracks.push(new MutableTrack(detection, timeUs, this.#threshold(detection.label)));
    }
    return ended.filter(({ confirmed }) => confirmed);
  }

  /**
   * Nobody looks any more. What was there at the last look is parked there. What is out of sight is gone, unless it
   * was parked: then it was hidden, or overlooked.
   *
   * @returns the confirmed tracks that have ended.
   */
  rest(): Track[] {
    const gone = this.#tracks.filter(
      ({ confirmed, misses, parked }) => !confirmed || (misses > 0 && !parked),
    );
    this.#tracks = this.#tracks.filter((track) => !gone.includes(track));
    for (const track of this.#tracks) track.parked = true;
    // The time until the next look is nobody's: nothing moves in it, and nothing is missed.
    this.#timeUs = undefined;
    return gone.filter(({ confirmed }) => confirmed);
  }

  /** Ends all of them. @returns the confirmed ones. */
  clear(): Track[] {
    const ended = this.#tracks.filter(({ confirmed }) => confirmed);
    this.#tracks = [];
    this.#timeUs = undefined;
    return ended;
  }

  /** @returns the detections that no track has taken. */
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
    // What moves is soon somewhere else, whether or not anybody looked for it.
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
  /** Looks in vain since it was last seen. */
  misses = 0;
  /** How long it has been looked for since the first of them. */
  missedUs = 0;
  readonly #moving: MovingBox;
  readonly #threshold: number;
  /** One bit for each of the last looks, the newest lowest: whether it was seen. */
  #history = 1;
  /** Where it began to stand, and when. */
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
    // What is parked and out of sight stays where it was.
    if (!this.parked || this.misses === 0) this.#moving.predict(passedUs / 1e6);
  }

  take(detection: DetectedBox, timeUs: number): void {
    this.detection = detection;
    this.seenUs = timeUs;
    this.misses = 0;
    this.missedUs = 0;
    this.#moving.correct(detection.box);
    this.#remember(1);
    if (intersectionOverUnion(this.#place, this.#moving.box) < sameplace) {
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

/** 1 at the same place, 0 at the maxDistance where it may be the same. */
function nearness(track: MutableTrack, { box }: DetectedBox): number {
  const at = track.box;
  const size = Math.max(at.right - at.left, at.bottom - at.top);
  const x = (box.left + box.right - at.left - at.right) / 2;
  const y = (box.top + box.bottom - at.top - at.bottom) / 2;
  return Math.max(0, 1 - Math.hypot(x, y) / (maxDistance * size));
}

function contains({ left, top, right, bottom }: BoundingBox, inner: BoundingBox): boolean {
  // What has walked out of the picture is missed at its edge.
  const inside = (value: number) => Math.min(1, Math.max(0, value));
  const [x, y] = [inside((inner.left + inner.right) / 2), inside((inner.top + inner.bottom) / 2)];
  return x >= left && x <= right && y >= top && y <= bottom;
}
