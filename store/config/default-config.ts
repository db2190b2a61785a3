import type { DetectorSection } from '../detectors/detector-section.ts';

/** Where the configuration is, below the current folder, when no other file is named. */
export const defaultConfigFile = 'configs/sentryshot.toml';

/** @returns the text of the configuration file that the first start writes; every detector is enabled. */
export function defaultConfig(
  currentDir: string,
  configDir: string,
  detectors: readonly DetectorSection[],
): string {
  return `# Configuration of Sentrybus. Changes take effect at the next start; SIGHUP reads max_disk_usage, debug_log_stdout and
# repeat_limit again at once.
# SentryShot's own configuration file works here as well.

# The address and the port of the web server. "0.0.0.0" listens on every network of this machine.
host = "0.0.0.0"
port = 2020

# Recordings, events and logs. An absolute path.
storage_dir = ${quote(`${currentDir.replace(/\/$/, '')}/storage`)}

# Accounts and monitors. An absolute path.
config_dir = ${quote(configDir)}

# The folder with the files that monitors with the source "file" play. Default: media, below storage_dir.
#media_dir = "/srv/media"

# How much disk space all that the recorder keeps may take, in gigabytes. The oldest recordings are deleted beyond it,
# and when the disk has less than one gigabyte (on a small disk: a twentieth of its size) left.
max_disk_usage = 100

# How many cameras one process records at most, 1 to 16. More take less memory; if a process crashes, those in it are recorded
# again from the first key frame after a second. 1: each camera has a process of its own.
monitors_per_process = 4

# Addresses and networks of reverse proxies in front of the recorder, whose X-Forwarded-For and X-Forwarded-Host are believed.
#trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]

# The path below which such a proxy serves the recorder, if it is not alone on its host.
#base_path = "/nvr"

# Print log entries of level debug, too.
debug_log_stdout = false


# Login. Exactly one of the next two must be enabled.

# Accounts with user names and passwords.
[[plugin]]
name = "auth_basic"
enable = true

# No login: everybody who can reach the port is an administrator.
[[plugin]]
name = "auth_none"
enable = false


${detectors.map(pluginEntry).join('')}# Sends every detection to an MQTT broker.
[[plugin]]
name = "mqtt"
enable = false
host = "127.0.0.1"
port = 1883
# Only if the broker asks for them.
#username = ""
#password = ""
# "mqtts" is MQTT with TLS, "ws" and "wss" are WebSockets. Then the usual port is 8883, 80 or 443.
#protocol = "mqtt"
# The path of the WebSocket.
#path = "/mqtt"
# The version of MQTT: "5", "3.1.1", or "auto": 5 if the broker speaks it.
#version = "auto"
# Files of TLS (PEM, absolute paths): the authority that signed the broker's certificate, if it is not one of the system's,
# and the certificate and private key that this recorder shows to the broker.
#ca = "/etc/sentrybus/broker-ca.pem"
#cert = "/etc/sentrybus/broker-cert.pem"
#key = "/etc/sentrybus/broker-key.pem"
# The name at the broker. Each client needs another one; the usual one is made at the first start and kept. With [cluster] the
# machine's name follows it.
#client_id = "sentrybus-attic"
# The first level of all topics. Two recorders on one broker need different ones; the machines of a cluster the same.
#prefix = "sentryshot"
# The number of seconds after which a broker that speaks MQTT 5 forgets an event that nobody has read.
#message_expiry = 3600
# The number of seconds without an event after which a detector finds nothing any more.
#off_delay = 10
# Publish the state of each monitor in retained topics, and that the recorder is there.
#states = true
# Accept commands: whoever may publish at the broker can enable and disable detectors, and start recordings.
#commands = true
# Announce the monitors to Home Assistant, below this topic.
#home_assistant = true
#discovery_prefix = "homeassistant"
# Publish events and counts below "frigate/" as well, in Frigate's form.
#frigate = false


[tls]
# "self-signed": HTTPS with a certificate that is made at the first start and kept.
# "files": HTTPS with the certificate and the private key named below (PEM, absolute paths).
# "off": plain HTTP, for use behind a reverse proxy that speaks HTTPS.
mode = "self-signed"
#cert = "/etc/sentrybus/cert.pem"
#key = "/etc/sentrybus/key.pem"

[bus]
# NATS servers to use instead of the embedded one. An empty list selects the embedded one.
servers = []
# Login at these servers: a token, a user name and a password, or a credentials file.
#token = ""
#username = ""
#password = ""
#credentials = "/etc/sentrybus/nats.creds"

[cluster]
# Names or addresses of machines that are one system, the same on each of them. The first three vote on who records what.
# An empty list: this machine is alone.
machines = []
# What \`npm start -- --new-cluster\` prints, the same on each machine.
#secret = ""
# This machine's entry in the list, if it is not its host name.
#name = "nvr1"
# Its share of the monitors, in relation to the others'.
#capacity = 16
# What is done about a silent machine's monitors while less than a majority of the voting machines is heard: "record", so that
# there may be footage twice, or "wait".
#without_quorum = "record"
# This port and the three after it are used between the machines.
#port = 6222

[logs]
# Log entries and events are deleted when they are older than this, the oldest also when all together take more space
# than this. The database file itself may be up to half as large again.
max_age_days = 30
max_size_megabytes = 500
# The number of equal log entries per minute that are written; further ones are counted, and the count is logged
# once a minute. 0: all are written.
repeat_limit = 5
`;
}

const pluginEntry = ({ name, title }: DetectorSection) => `# ${title}.
[[plugin]]
name = "${name}"
enable = true

`;

/** A TOML basic string: JSON's escapes, and DEL, which TOML does not allow as it is. */
const quote = (text: string) => JSON.stringify(text).replaceAll('\x7f', '\\u007F');
