"""Depth of a ROS 2 camera: python ros2_node.py [ws://host:port] --ros-args -r image/compressed:=/camera/compressed

Of a metric model it publishes `depth/image_rect` as depth_image_proc wants it (REP 118): 32FC1, metres, NaN where there
is none, as large as the picture, with the picture's header, so that it goes with its camera_info; give it a rectified
picture, since depth is as straight as what it is made from. Of a relative model
there are no metres, and so no millimetres (16UC1) either: it publishes `inverse_depth`, 32FC1 without a unit, larger is
nearer, which depth_image_proc must not be given. Run on a sourced ROS 2, whose rclpy and sensor_msgs it needs.
"""

import sys
import threading

import numpy as np

from leadline_client import DepthMap, connect

TOPICS = {"metric-depth": "depth/image_rect", "relative-inverse-depth": "inverse_depth"}


def image_fields(depth: DepthMap) -> dict[str, object]:
    """Of sensor_msgs/Image, all but its header."""
    values = depth.values
    if depth.quantity == "metric-depth":
        values = np.where(np.isfinite(values) & (values > 0), values, np.float32(np.nan))
    height, width = values.shape
    data = values.astype("<f4").tobytes()
    return {"height": height, "width": width, "encoding": "32FC1", "is_bigendian": 0, "step": width * 4, "data": data}


def main(url: str = "ws://127.0.0.1:8042") -> None:
    # Here, so that the layout above can be looked at without ROS.
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CompressedImage, Image

    rclpy.init()
    node = rclpy.create_node("leadline")
    publishers = {what: node.create_publisher(Image, topic, 5) for what, topic in TOPICS.items()}
    headers = {}
    lock = threading.Lock()  # an outcome may be here before `send` has returned its seq

    with connect(url, {"output": {"format": "f32", "size": "source"}}) as stream:

        def on_picture(picture: CompressedImage) -> None:
            if "jpeg" in picture.format or "jpg" in picture.format:
                with lock:
                    headers[stream.send(bytes(picture.data), "jpeg")] = picture.header

        def publish() -> None:
            for outcome in stream.outcomes:
                with lock:
                    header = headers.pop(outcome.seq)
                if isinstance(outcome, DepthMap):
                    publishers[outcome.quantity].publish(Image(header=header, **image_fields(outcome)))

        node.create_subscription(CompressedImage, "image/compressed", on_picture, qos_profile_sensor_data)
        publisher = threading.Thread(target=publish, daemon=True)
        publisher.start()
        rclpy.spin(node)


if __name__ == "__main__":
    main(*[argument for argument in sys.argv[1:2] if not argument.startswith("--")])
