/** A rectangle in fractions of a frame's width and height. It may extend beyond the frame. */
export interface BoundingBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** One detection of a model in a frame. */
export interface DetectedBox {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  readonly box: BoundingBox;
}

/** Intersection over union (IoU) of two rectangles: shared area divided by covered area, 0 to 1. */
export function intersectionOverUnion(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf({ left, top, right, bottom }: BoundingBox): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

/** Candidates per label. A damaged model detects something everywhere; no frame contains so many objects of a label. */
const maxCandidates = 300;

/**
 * Non-maximum suppression, label by label: of overlapping boxes only the best is kept.
 *
 * @param maxOverlap the greatest IoU of two boxes of one label that are both kept.
 * @returns highest score first. Only the best 300 of each label are considered, because the time grows with the square.
 */
export function suppressOverlaps(detections: readonly DetectedBox[], maxOverlap: number): DetectedBox[] {
  const kept: DetectedBox[] = [];
  const compared = new Map<string, number>();
  for (const next of [...detections].sort((a, b) => b.score - a.score)) {
    const before = compared.get(next.label) ?? 0;
    if (before === maxCandidates) continue;
    compared.set(next.label, before + 1);
    const covered = kept.some(
      ({ label, box }) => label === next.label && intersectionOverUnion(box, next.box) > maxOverlap,
    );
    if (!covered) kept.push(next);
  }
  return kept;
}
