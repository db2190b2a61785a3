import { usePolled } from '../../data/polled.ts';
import { say } from '../../texts/say.ts';
import { systemTexts } from '../../texts/settings-texts.ts';
import { shortTime } from '../../texts/times.ts';
import { Loading } from '../form/loading.tsx';

/** The part of `GET /api/mqtt` that is shown. */
interface MqttAnswer {
  readonly isEnabled: boolean;
  readonly isConnected?: boolean;
  readonly reason?: string;
  readonly since?: number;
  readonly broker?: string;
  readonly length?: number;
  readonly oldest?: number | null;
  readonly lost?: number;
  readonly refused?: readonly { readonly topic: string; readonly reason: string; readonly count: number }[];
}

const intervalMs = 3000;

/** The connection to the MQTT broker. */
export function MqttView() {
  const { value: mqtt, problem } = usePolled<MqttAnswer>('/api/mqtt', intervalMs).value;
  if (!mqtt) return <Loading problem={problem} />;
  const {
    isConnected = false,
    reason = '',
    since = 0,
    broker = '',
    length = 0,
    oldest = null,
    lost = 0,
    refused = [],
  } = mqtt;
  return (
    <section>
      <div class="toolbar">
        <h2>MQTT</h2>
      </div>
      {mqtt.isEnabled ? (
        <div class="card">
          <p class="state" data-state={isConnected ? 'streaming' : 'waiting'} role="status">
            <strong>
              {say(isConnected ? systemTexts.connected : systemTexts.notConnected, {
                ...{ broker, time: shortTime(since) },
              })}
            </strong>
            {reason !== '' && <span class="quiet"> · {reason}</span>}
          </p>
          <p>
            {say(systemTexts.undelivered, { length, lost })}
            {oldest !== null && ` ${say(systemTexts.waitingSince, { time: shortTime(oldest) })}`}
          </p>
          {refused.map(({ topic, reason: why, count }) => (
            <p key={topic} class="warning">
              {say(systemTexts.refused, { topic, count })} {why}
            </p>
          ))}
        </div>
      ) : (
        <p>{say(systemTexts.mqttOff)}</p>
      )}
    </section>
  );
}
