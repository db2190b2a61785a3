import { useRef, useState } from 'preact/hooks';
import { logOut } from '../data/change.ts';
import { account } from '../data/own-account.ts';
import { chooseTimeZone, ownTimeZone, timeZone, timeZones } from '../texts/chosen-zone.ts';
import { chooseLanguage, type Language, language, languages, say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { Icon } from './icons.tsx';
import { theme, themes } from './theme.ts';

/** Appearance, language, and whose login this is. */
export function Preferences() {
  const menu = useRef<HTMLDetailsElement>(null);
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    if (menu.current?.open) menu.current.open = false;
  };
  return (
    <details
      class="preferences"
      ref={menu}
      onToggle={({ currentTarget: { open } }) => setOpen(open)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        close();
        menu.current?.querySelector('summary')?.focus();
      }}
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (next instanceof Node && !menu.current?.contains(next)) close();
      }}
    >
      <summary aria-label={say(shellTexts.preferences)} title={say(shellTexts.preferences)}>
        <Icon name="preferences" />
      </summary>
      {/* Six hundred time zones: rendered with the page, they kept its first picture waiting for 0.1 s. */}
      {isOpen && <Menu />}
    </details>
  );
}

function Menu() {
  const own = account.value;
  return (
    <div class="menu">
      {own && (
        <p class="quiet">
          {say(shellTexts.account, { name: own.username })}
          {own.isAdmin && ` (${say(shellTexts.admin)})`}
        </p>
      )}
      <label>
        {say(shellTexts.theme)}
        <select
          value={theme.value}
          onChange={({ currentTarget: { value } }) => {
            theme.value = themes.find((one) => one === value) ?? 'system';
          }}
        >
          {themes.map((one) => (
            <option key={one} value={one}>
              {say(shellTexts[one])}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say(shellTexts.timeZone)}
        <select value={timeZone.value} onChange={({ currentTarget: { value } }) => chooseTimeZone(value)}>
          <option value="">{`${say(shellTexts.ownZone)} (${ownTimeZone()})`}</option>
          {timeZones().map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say(shellTexts.language)}
        <select
          value={language.value}
          onChange={({ currentTarget: { value } }) => chooseLanguage(value as Language)}
        >
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {own?.session && (
        <button type="button" onClick={() => void logOut().catch(() => {})}>
          {say(shellTexts.logOut)}
        </button>
      )}
    </div>
  );
}
