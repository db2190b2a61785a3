#!/usr/bin/python3
"""An RTSP camera for the tests, on a loopback address.

    camera.py '{"port": 0, "mounts": {"main": {"file": "/a.mp4"}, "test": {"launch": "videotestsrc ! ..."}}}'

It prints `{"port": N}` when it serves, and serves until it is killed. The keys of its one argument:

port      0 takes a free one
mounts    by path. {"file": F} serves the H.264 or H.265 video and the AAC audio of F over and over, as they
          are; with "vui": false its H.264 says nothing of its frame rate. {"launch": L} serves what a
          gst-rtsp-server launch line describes (payloaders pay0, pay1, …).
user, password, method ("basic" or "digest")
          asked for by every mount when there is a user; each attempt to log in prints `{"login": "attempted"}`
others    [[user, password], …] that may log in too, by Digest
"""

import itertools
import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
# GstApp is imported for its methods on appsink and appsrc.
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401

from sps import without_vui  # noqa: E402

# By media type: what stands between the file and the memory, and between the memory and the network.
# SPS and PPS go out with every key frame, so that a client may come at any time.
CODECS = {
    "video/x-h264": (
        "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au",
        "rtph264pay config-interval=-1 aggregate-mode=zero-latency",
    ),
    "video/x-h265": (
        "h265parse ! video/x-h265,stream-format=byte-stream,alignment=au",
        "rtph265pay config-interval=-1 aggregate-mode=zero-latency",
    ),
    "audio/mpeg": ("aacparse ! audio/mpeg,mpegversion=4,stream-format=raw", "rtpmp4gpay"),
}

LONGEST_LOAD = 30 * Gst.SECOND
PUSH_INTERVAL_MS = 5
ROLE = "viewer"


class Track:
    """One stream of a file, whole in memory: its access units with times from the file's beginning."""

    def __init__(self, media_type, sink):
        self.media_type = media_type
        self.caps = None
        self.units = []
        while sample := sink.try_pull_sample(0):
            self.caps = sample.get_caps()
            self.units.append(sample.get_buffer())
        if not self.units:
            raise ValueError(f"no {media_type} in it")

    def strip_vui(self):
        if self.media_type != "video/x-h264":
            raise ValueError(f"no VUI is known in {self.media_type}")
        self.units = [stripped(unit) for unit in self.units]

    @property
    def is_video(self):
        return self.media_type.startswith("video/")


def stripped(unit):
    data = Gst.Buffer.new_wrapped(without_vui(unit.extract_dup(0, unit.get_size())))
    data.copy_into(unit, Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.TIMESTAMPS, 0, unit.get_size())
    return data


def load(path):
    """Returns the tracks of a file, video first, and the time after which they begin again."""
    pipeline = Gst.Pipeline.new()
    source = Gst.ElementFactory.make("filesrc")
    source.set_property("location", path)
    parse = Gst.ElementFactory.make("parsebin")
    pipeline.add(source)
    pipeline.add(parse)
    source.link(parse)
    sinks = []

    def take(_, pad):
        media_type = (pad.get_current_caps() or pad.query_caps(None)).get_structure(0).get_name()
        if media_type not in CODECS:
            return
        # Nothing pulls before the end of the file, so every queue has to hold all of its stream.
        branch = Gst.parse_bin_from_description(
            "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
            f" ! {CODECS[media_type][0]} ! appsink name=sink sync=false wait-on-eos=false",
            True,
        )
        pipeline.add(branch)
        pad.link(branch.get_static_pad("sink"))
        branch.sync_state_with_parent()
        sinks.append((media_type, branch.get_by_name("sink")))

    parse.connect("pad-added", take)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(LONGEST_LOAD, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    if message is None or message.type == Gst.MessageType.ERROR:
        sys.exit(f"camera: cannot load {path}: {message.parse_error() if message else 'it takes too long'}")
    tracks = sorted((Track(*each) for each in sinks), key=lambda track: not track.is_video)
    pipeline.set_state(Gst.State.NULL)
    if not tracks:
        sys.exit(f"camera: nothing to serve in {path}")

    begin = min(track.units[0].pts for track in tracks)
    last = tracks[0].units[-1]
    length = last.pts + last.duration - begin
    for track in tracks:
        # All tracks begin again together, so audio that outlasts the video is left out.
        track.units = [unit for unit in track.units if unit.pts - begin < length]
        for unit in track.units:
            unit.pts -= begin
    return tracks, length


class Player:
    """Feeds the tracks of a file into the sources of one media, each unit at its time, without end.

    The times go on counting when the file begins again, as a camera's do.
    """

    def __init__(self, sources, tracks, length):
        self.length = length
        self.feeds = [{"source": s, "units": t.units, "next": 0, "round": 0} for s, t in zip(sources, tracks)]
        self.begin = None
        self.timer = GLib.timeout_add(PUSH_INTERVAL_MS, self.push_due)

    def push_due(self):
        source = self.feeds[0]["source"]
        # It has a clock before it has a base time: what is timed in between would be due hours later.
        if source.get_state(0).state != Gst.State.PLAYING:
            return True
        now = source.get_clock().get_time() - source.get_base_time()
        if self.begin is None:
            self.begin = now
        return all([self.feed(feed, now) for feed in self.feeds])

    def feed(self, feed, now):
        """Returns whether the source still takes units."""
        while True:
            unit = feed["units"][feed["next"]]
            time = self.begin + feed["round"] * self.length + unit.pts
            if time > now:
                return True
            # Shares the bytes; only the times are its own.
            copy = unit.copy_region(Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.MEMORY, 0, unit.get_size())
            copy.pts = time
            copy.duration = unit.duration
            if feed["source"].push_buffer(copy) != Gst.FlowReturn.OK:
                self.timer = None
                return False
            feed["next"] += 1
            if feed["next"] == len(feed["units"]):
                feed["next"] = 0
                feed["round"] += 1

    def stop(self, _media):
        if self.timer is not None:
            GLib.source_remove(self.timer)
            self.timer = None


class FileFactory(GstRtspServer.RTSPMediaFactory):
    """Serves a file; it begins when the first client comes, and all clients see the same."""

    def __init__(self, path, vui):
        super().__init__()
        self.tracks, self.length = load(path)
        if not vui:
            self.tracks[0].strip_vui()
        sources = (
            f"appsrc name=source{i} is-live=true format=time ! {CODECS[track.media_type][1]} name=pay{i} pt={96 + i}"
            for i, track in enumerate(self.tracks)
        )
        self.set_launch(f"( {' '.join(sources)} )")

    def do_configure(self, media):
        # It gives the media what the factory was told: that clients share it, and its addresses.
        GstRtspServer.RTSPMediaFactory.do_configure(self, media)
        element = media.get_element()
        sources = [element.get_by_name(f"source{i}") for i in range(len(self.tracks))]
        for source, track in zip(sources, self.tracks):
            source.set_property("caps", track.caps)
        player = Player(sources, self.tracks, self.length)
        media.connect("unprepared", player.stop)


class LaunchFactory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, launch):
        super().__init__()
        self.set_launch(f"( {launch} )")

    def do_configure(self, media):
        GstRtspServer.RTSPMediaFactory.do_configure(self, media)
        payloaders = (media.get_element().get_by_name(f"pay{n}") for n in itertools.count())
        for payloader in itertools.takewhile(lambda payloader: payloader is not None, payloaders):
            payloader.get_static_pad("src").add_probe(Gst.PadProbeType.QUERY_UPSTREAM, refuse_seeking)


def refuse_seeking(_pad, info):
    """A test source says that it can seek, and the server seeks for every PLAY that names a time.

    When many clients come at once that ends in its assertion in gst_rtsp_media_get_rates, or it locks up.
    """
    is_seeking = info.get_query().type == Gst.QueryType.SEEKING
    return Gst.PadProbeReturn.DROP if is_seeking else Gst.PadProbeReturn.OK


def make_factory(mount):
    factory = FileFactory(mount["file"], mount.get("vui", True)) if "file" in mount else LaunchFactory(mount["launch"])
    factory.set_shared(True)
    # UDP too is bound to loopback alone; without a pool it would be every interface.
    pool = GstRtspServer.RTSPAddressPool()
    pool.add_range("127.0.0.1", "127.0.0.1", 20000, 29999, 0)
    factory.set_address_pool(pool)
    return factory


def require_login(server, factories, user, password, method, others):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    if method == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        for name, secret in [[user, password], *others]:
            auth.add_digest(name, secret, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    permissions = GstRtspServer.RTSPPermissions()
    for permission in (GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT):
        permissions.add_permission_for_role(ROLE, permission, True)
    for factory in factories:
        factory.set_permissions(permissions)
    server.set_auth(auth)
    server.connect("client-connected", lambda _, client: client.connect("pre-describe-request", report_login))


def report_login(_client, context):
    """Sees a request before its login is checked."""
    result, _ = context.request.get_header(GstRtsp.RTSPHeaderField.AUTHORIZATION, 0)
    if result == GstRtsp.RTSPResult.OK:
        print(json.dumps({"login": "attempted"}), flush=True)
    return GstRtsp.RTSPStatusCode.OK


def main():
    Gst.init(None)
    options = json.loads(sys.argv[1])
    server = GstRtspServer.RTSPServer()
    server.set_address(options["address"])
    server.set_service(str(options["port"]))
    factories = {path: make_factory(mount) for path, mount in options["mounts"].items()}
    for path, factory in factories.items():
        server.get_mount_points().add_factory(f"/{path}", factory)
    if "user" in options:
        login = options["user"], options["password"], options["method"]
        require_login(server, factories.values(), *login, options.get("others", []))
    if server.attach(None) == 0:
        sys.exit(f"camera: port {options['port']} cannot be had")
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    GLib.MainLoop().run()


main()
