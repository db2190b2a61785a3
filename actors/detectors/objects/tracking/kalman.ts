import type { BoundingBox } from '../picture/bounding-box.ts';

/** Acceleration noise in box sizes per second squared: people turn round on the spot. */
const agility = 1;
/** Standard deviation of a detected box's position and size, in box sizes. */
const error = 0.05;
/** Standard deviation of the speed of a new box, in box sizes per second. */
const unknownSpeed = 2;

/**
 * Position and speed of a box: a Kalman filter with constant speed for its centre, width and height.
 *
 * The four are filtered independently, a simplification of SORT; time steps are the real ones, because frames may be
 * skipped.
 */
export class MovingBox {
  readonly #x: MovingNumber;
  readonly #y: MovingNumber;
  readonly #width: MovingNumber;
  readonly #height: MovingNumber;

  constructor(box: BoundingBox) {
    const { x, y, width, height } = centred(box);
    this.#x = new MovingNumber(x, width);
    this.#y = new MovingNumber(y, height);
    this.#width = new MovingNumber(width, width);
    this.#height = new MovingNumber(height, height);
  }

  get box(): BoundingBox {
    const [x, y] = [this.#x.value, this.#y.value];
    const [width, height] = [Math.max(0, this.#width.value), Math.max(0, this.#height.value)];
    return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
  }

  predict(seconds: number): void {
    for (const number of [this.#x, this.#y, this.#width, this.#height]) number.predict(seconds);
  }

  correct(box: BoundingBox): void {
    const { x, y, width, height } = centred(box);
    this.#x.correct(x);
    this.#y.correct(y);
    this.#width.correct(width);
    this.#height.correct(height);
  }

  /** Stops growth and shrinking, after a frame without detection: nothing indicates that they continue. */
  steady(): void {
    for (const number of [this.#width, this.#height]) number.stop();
  }
}

class MovingNumber {
  value: number;
  #speed = 0;
  readonly #measurement: number;
  readonly #acceleration: number;
  /** Covariance matrix of value and speed. */
  #valueVariance: number;
  #covariance = 0;
  #speedVariance: number;

  /** @param scale size of the box along this axis. */
  constructor(value: number, scale: number) {
    this.value = value;
    this.#measurement = (error * scale) ** 2;
    this.#acceleration = (agility * scale) ** 2;
    this.#valueVariance = this.#measurement;
    this.#speedVariance = (unknownSpeed * scale) ** 2;
  }

  predict(seconds: number): void {
    this.value += this.#speed * seconds;
    const noise = this.#acceleration * seconds;
    this.#valueVariance +=
      seconds * (2 * this.#covariance + seconds * this.#speedVariance) + (noise * seconds ** 2) / 3;
    this.#covariance += seconds * this.#speedVariance + (noise * seconds) / 2;
    this.#speedVariance += noise;
  }

  correct(measured: number): void {
    const sum = this.#valueVariance + this.#measurement;
    const gain = this.#valueVariance / sum;
    const speedGain = this.#covariance / sum;
    const surprise = measured - this.value;
    this.value += gain * surprise;
    this.#speed += speedGain * surprise;
    this.#speedVariance -= speedGain * this.#covariance;
    this.#covariance *= 1 - gain;
    this.#valueVariance *= 1 - gain;
  }

  stop(): void {
    this.#speed = 0;
  }
}

function centred({ left, top, right, bottom }: BoundingBox) {
  return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top };
}
