import type { DetectorDefinition } from '../detector-contract.ts';
import * as registry from './registry.ts';

/** All detectors, ordered by name. */
export const detectors: readonly DetectorDefinition[] = Object.values(registry);
