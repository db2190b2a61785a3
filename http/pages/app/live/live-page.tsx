import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { takeMonitors } from '../data/known.ts';
import { account } from '../data/own-account.ts';
import { usePolled } from '../data/polled.ts';
import { address, go } from '../shell/address.ts';
import { Icon } from '../shell/icons.tsx';
import { Notice } from '../shell/notice.tsx';
import { liveTexts } from '../texts/live-texts.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { MachineRow } from './machine-row.tsx';
import { MonitorTile } from './monitor-tile.tsx';
import { detectionsSeen, zonesSeen } from './stream/live-player.ts';
import { layout, showDetections, showZones } from './tile-layout.ts';
import { bestGrid, layouts } from './tile-size.ts';

/** Connected tiles learn the state of their monitor at once; this is for the others, and for new monitors. */
const listIntervalMs = 4000;

/** Below the grid, in CSS pixels. */
const marginBelow = 16;

export function LivePage() {
  const first = useMemo(takeMonitors, []);
  const { value: monitors, problem } = usePolled('/api/monitor/states', listIntervalMs, 0, first).value;
  if (!monitors) {
    if (!problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
    return (
      <Notice state="failed" title={say(liveTexts.failed)}>
        <p>{problem}</p>
      </Notice>
    );
  }
  const alone = address.value.searchParams.get('monitor');
  return (
    <>
      <h1 class="hidden">{say(liveTexts.title)}</h1>
      {problem && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      {monitors.length === 0 ? (
        <NoMonitors />
      ) : alone === null ? (
        <Grid monitors={monitors} />
      ) : (
        <Alone id={alone} monitors={monitors} />
      )}
    </>
  );
}

function NoMonitors() {
  return (
    <Notice state="empty" title={say(liveTexts.none)}>
      <p>{say(account.value?.isAdmin ? liveTexts.noneAdmin : liveTexts.noneUser)}</p>
      {account.value?.isAdmin && (
        <a class="button primary" href="/settings?monitor=" data-page>
          {say(liveTexts.addFirst)}
        </a>
      )}
    </Notice>
  );
}

interface MonitorsProps {
  readonly monitors: readonly MonitorSummary[];
}

function Grid({ monitors }: MonitorsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [{ columns, width }, setGrid] = useState({ columns: 1, width: 0 });
  const [chosen, count] = [layout.value, monitors.length];
  useLayoutEffect(() => {
    const arrange = () => {
      if (!frame.current) return;
      const { top, width } = frame.current.getBoundingClientRect();
      const room = innerHeight - top - scrollY - marginBelow;
      setGrid(chosen === 'auto' ? bestGrid(count, width, room) : { columns: Number(chosen), width });
    };
    arrange();
    addEventListener('resize', arrange);
    return () => removeEventListener('resize', arrange);
  }, [chosen, count]);
  return (
    <>
      {account.value?.isAdmin && monitors.some(({ machine }) => machine !== undefined) && <MachineRow />}
      <Toolbar monitors={monitors} />
      <div ref={frame}>
        <div class="grid" style={{ '--columns': columns, width: `${width}px` }}>
          {monitors.map((monitor) => (
            <MonitorTile
              key={monitor.id}
              monitor={monitor}
              link={`/live?monitor=${monitor.id}`}
              linkTitle={say(liveTexts.enlarge, { name: monitor.name })}
            />
          ))}
        </div>
      </div>
    </>
  );
}

function Toolbar({ monitors }: MonitorsProps) {
  const offline = monitors.filter(({ state }) => state === 'waiting').length;
  return (
    <div class="toolbar">
      <fieldset class="segments">
        <legend class="hidden">{say(liveTexts.columns)}</legend>
        {layouts.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="columns"
              checked={layout.value === one}
              onChange={() => {
                layout.value = one;
              }}
            />
            <span>{one === 'auto' ? say(liveTexts.auto) : one}</span>
          </label>
        ))}
      </fieldset>
      <OverlaySwitches />
      {offline > 0 && <span class="badge bad">{say(liveTexts.offlineCount, { count: offline })}</span>}
    </div>
  );
}

function OverlaySwitches() {
  return (
    <>
      {detectionsSeen.value && <OverlaySwitch choice={showDetections} text={say(liveTexts.boxes)} />}
      {zonesSeen.value && <OverlaySwitch choice={showZones} text={say(liveTexts.zones)} />}
    </>
  );
}

function OverlaySwitch({ choice, text }: { readonly choice: typeof showZones; readonly text: string }) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={choice.value === 'on'}
        onChange={({ currentTarget: { checked } }) => {
          choice.value = checked ? 'on' : 'off';
        }}
      />
      <span>{text}</span>
    </label>
  );
}

/** One monitor as large as the window allows. Escape leads back, as does a click on the picture. */
function Alone({ id, monitors }: MonitorsProps & { readonly id: string }) {
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !document.fullscreenElement) go('/live');
    };
    addEventListener('keydown', leave);
    return () => removeEventListener('keydown', leave);
  }, []);
  const monitor = monitors.find((one) => one.id === id);
  return (
    <>
      <div class="toolbar">
        <a class="button" href="/live" data-page>
          <Icon name="back" />
          {say(liveTexts.all)}
        </a>
        {monitor && <OverlaySwitches />}
      </div>
      {monitor ? (
        <div class="alone">
          <MonitorTile key={id} monitor={monitor} link="/live" linkTitle={say(liveTexts.all)} />
        </div>
      ) : (
        <Notice state="empty" title={say(liveTexts.unknown)} />
      )}
    </>
  );
}
