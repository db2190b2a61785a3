/** A rectangle in fractions of a picture's width and height. It may reach beyond the picture. */
export interface BoundingBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What a model sees at one place of a picture. */
export interface DetectedBox {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  readonly box: BoundingBox;
}

/** How much two rectangles are the same: what they share as a part of what they cover, 0 to 1. */
export function intersectionOverUnion(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

export function areaOf({ left, top, right, bottom }: BoundingBox): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/** A damaged or careless model sees something everywhere; no picture holds so many of one kind. */
const maxCandidates = 300;

/**
 * Keeps the best of what overlaps, label by label.
 *
 * @param most is how much two boxes of one label may be the same and both stay.
 * @returns best first: the best 300 of each label are compared, as each may be with all others.
 */
export function suppressOverlaps(detections: readonly DetectedBox[], most: number): DetectedBox[] {
  const kept: DetectedBox[] = [];
  const compared = new Map<string, number>();
  for (const next of [...detections].sort((a, b) => b.score - a.score)) {
    const before = compared.get(next.label) ?? 0;
    if (before === maxCandidates) continue;
    compared.set(next.label, before + 1);
    const covered = kept.some(
      ({ label, box }) => label === next.label && intersectionOverUnion(box, next.box) > most,
    );
    if (!covered) kept.push(next);
  }
  return kept;
}
