"""Depth of a ROS 2 camera:

python ros2_depth_node.py --ros-args -p publish:=metres -p url:=ws://host:port -r image/compressed:=/camera/compressed

The parameter `publish` says what is wanted; without it, or of a model that has something else, the node ends and says
so. `metres`: `depth/image_rect` (32FC1) and `depth/image_rect/compressedDepth`, as depth_image_proc and image_transport
want them: as large as the picture and with its header, so that they go with its camera_info. Give it a rectified
picture: depth is as straight as what it is made from. `depth_max` (10.0, metres) is how far compressedDepth goes.
`relative`: `inverse_depth`, 32FC1 without a unit, larger is nearer; depth_image_proc must not be given it.

Run on a sourced ROS 2, whose rclpy, sensor_msgs and OpenCV it needs. `model` names another than the server's own. Only
ros2_layout.py has a test here: this node has not been run on a ROS 2 yet.
"""

import sys
import threading

from leadline_client import DepthMap, FailedFrame, LeadlineError, connect

try:
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CompressedImage, Image
    from std_msgs.msg import Header
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is missing: source a ROS 2 first, for instance `source /opt/ros/jazzy/setup.bash`")

from ros2_layout import DEPTH_MAX, QUANTITIES, TOPICS, codec_of, compressed_depth_fields, image_fields, refusal


def main() -> str | None:
    """Why it ended, if not by a wish."""
    rclpy.init()
    node = rclpy.create_node("leadline")
    publish = str(node.declare_parameter("publish", "").value)
    url = str(node.declare_parameter("url", "ws://127.0.0.1:8042").value)
    model = str(node.declare_parameter("model", "").value)
    depth_max = float(node.declare_parameter("depth_max", DEPTH_MAX).value)
    if publish not in QUANTITIES:
        return refusal(publish, "", "")
    log = node.get_logger()
    headers: dict[int, Header] = {}
    lock = threading.Lock()  # an outcome may be here before `send` has returned its seq
    failure: list[str] = []

    config = {"output": {"format": "f32", "size": "source"}, **({"model": model} if model else {})}
    with connect(url, config, on_event=lambda event: log.info(str(event))) as stream:
        if (reason := refusal(publish, stream.ready.model, stream.ready.quantity)) is not None:
            return reason
        images = node.create_publisher(Image, TOPICS[publish], 5)
        compressed = None
        if publish == "metres":
            compressed = node.create_publisher(CompressedImage, f"{TOPICS[publish]}/compressedDepth", 5)

        def on_picture(picture: CompressedImage) -> None:
            if (codec := codec_of(picture.format)) is None:
                log.error(f"image/compressed is '{picture.format}'; remap it to a topic of jpeg or png", once=True)
                return
            try:
                with lock:
                    headers[stream.send(bytes(picture.data), codec)] = picture.header
            except LeadlineError as error:
                log.error(f"A picture was not sent: {error}")

        def publish_all() -> None:
            try:
                for outcome in stream.outcomes:
                    with lock:
                        header = headers.pop(outcome.seq)
                    if isinstance(outcome, FailedFrame):
                        log.warning(f"frame {outcome.seq}: {outcome.error}")
                    elif isinstance(outcome, DepthMap):
                        images.publish(Image(header=header, **image_fields(outcome)))
                        if compressed is not None and compressed.get_subscription_count() > 0:
                            fields = compressed_depth_fields(outcome, depth_max)
                            compressed.publish(CompressedImage(header=header, **fields))
            except LeadlineError as error:
                failure.append(str(error))
                rclpy.try_shutdown()  # ends spin

        node.create_subscription(CompressedImage, "image/compressed", on_picture, qos_profile_sensor_data)
        threading.Thread(target=publish_all, daemon=True).start()
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass
        reason = failure[0] if failure else None
        stream.abort()
    return reason


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadlineError as error:
        remedy = "; -p url:=ws://host:port names another" if error.code == "CONNECTION_LOST" else ""
        sys.exit(f"{error}{remedy}")
