"""An RTSP camera by GStreamer: usage: rtsp_server.py PORT [black]; serves /lane1."""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
pattern = sys.argv[2] if len(sys.argv) > 2 else "smpte"
factory.set_launch(
    f"( videotestsrc is-live=true pattern={pattern} ! video/x-raw,width=640,height=360,framerate=10/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 )"
)
server.get_mount_points().add_factory("/lane1", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
