import { describe, expect, test } from 'vitest';
import { cameraTexts } from '../../../http/pages/app/texts/camera-texts.ts';
import { liveTexts } from '../../../http/pages/app/texts/live-texts.ts';
import { logTexts } from '../../../http/pages/app/texts/log-texts.ts';
import { recordingTexts } from '../../../http/pages/app/texts/recording-texts.ts';
import type { Text } from '../../../http/pages/app/texts/say.ts';
import { accountTexts, settingsTexts, systemTexts } from '../../../http/pages/app/texts/settings-texts.ts';
import { apiTexts, shellTexts } from '../../../http/pages/app/texts/shell-texts.ts';
import { welcomeTexts } from '../../../http/pages/app/texts/welcome-texts.ts';
import { triggerTexts, zoneTexts } from '../../../http/pages/app/texts/zone-texts.ts';

const tables: readonly [string, Readonly<Record<string, Text>>][] = [
  ['API page', apiTexts],
  ['cameras', cameraTexts],
  ['live view', liveTexts],
  ['log', logTexts],
  ['recordings', recordingTexts],
  ['accounts', accountTexts],
  ['settings', settingsTexts],
  ['system', systemTexts],
  ['shell', shellTexts],
  ['first steps', welcomeTexts],
  ['triggers', triggerTexts],
  ['zones', zoneTexts],
];

describe.each(tables)('the texts of the %s', (_, table) => {
  test('are there in both languages, with the same values in them', () => {
    for (const [key, text] of Object.entries(table)) {
      expect(Object.keys(text), key).toEqual(['en', 'de']);
      expect(text.en.trim(), key).not.toBe('');
      expect(text.de.trim(), key).not.toBe('');
      expect(placeholders(text.de), key).toEqual(placeholders(text.en));
    }
  });
});

const placeholders = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
