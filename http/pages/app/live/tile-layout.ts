import { stored } from '../shell/stored.ts';
import { layoutKey, layouts } from './tile-size.ts';

export const layout = stored(layoutKey, layouts, 'auto');
export const showDetections = stored('live.detections', ['on', 'off'], 'on');
export const showZones = stored('live.zones', ['on', 'off'], 'off');
