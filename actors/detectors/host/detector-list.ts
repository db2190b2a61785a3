import type { DetectorDefinition } from '../detector-contract.ts';
import * as registry from './registry.ts';

/** Every detector there is, in the order of the names. */
export const detectors: readonly DetectorDefinition[] = Object.values(registry);
