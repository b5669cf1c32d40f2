"""A camera over RTSP on 127.0.0.1, at the port given: a ball, 10 pictures a second, as MJPEG. Says when it listens."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
picture = "video/x-raw,format=I420,width=320,height=176,framerate=10/1"
factory.set_launch(f"( videotestsrc is-live=true pattern=ball ! {picture} ! jpegenc ! rtpjpegpay name=pay0 )")
server.get_mount_points().add_factory("/camera", factory)
server.attach(None)
print("listening", flush=True)
GLib.MainLoop().run()
