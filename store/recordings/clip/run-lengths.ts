/** Numbers of which many that follow each other are equal. */
export class RunLengths {
  /** How many are equal, and to which number, one after the other. */
  readonly runs: number[];
  /** Whether one of them is negative. */
  isSigned: boolean;

  /** @param begin a copy of these is at the beginning. */
  constructor(begin?: RunLengths) {
    this.runs = [...(begin?.runs ?? [])];
    this.isSigned = begin?.isSigned ?? false;
  }

  /** Whether all of them are 0. */
  get isZero(): boolean {
    return this.runs.length === 0 || (this.runs.length === 2 && this.runs[1] === 0);
  }

  add(value: number): void {
    const at = this.runs.length - 2;
    if (at >= 0 && this.runs[at + 1] === value) {
      this.runs[at] = (this.runs[at] ?? 0) + 1;
      return;
    }
    this.runs.push(1, value);
    this.isSigned ||= value < 0;
  }
}
