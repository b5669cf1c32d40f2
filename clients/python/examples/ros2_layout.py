"""What `ros2_depth_node.py` publishes, as the fields of ROS 2 messages; imports nothing of ROS.

32FC1 follows REP 118, which depth_image_proc reads: metres, NaN where there is none. compressedDepth follows
compressed_depth_image_transport (codec.cpp in ros-perception/image_transport_plugins): a header of an int32 and two
floats A and B, then a 16-bit PNG of A / metres + B, in which 0 is no depth.
"""

import struct
from array import array

import cv2
import numpy as np

from leadline_client import DepthMap

# Of each value of the parameter `publish`: the quantity it takes, and its topic, of which depth_image_proc reads
# depth/image_rect.
QUANTITIES = {"metres": "metric-depth", "relative": "relative-inverse-depth"}
TOPICS = {"metres": "depth/image_rect", "relative": "inverse_depth"}
# Those of compressed_depth_image_transport: how far is still written, in metres, and where a step is 1 m.
DEPTH_MAX = 10.0
DEPTH_QUANTIZATION = 100.0


def refusal(publish: str, model: str, quantity: str) -> str | None:
    """Why a model's depth is not published as it is asked for; None if it is."""
    if publish not in QUANTITIES:
        return (
            f"The parameter publish is '{publish}'. Say what is wanted: -p publish:=metres, of a metric model, or "
            "-p publish:=relative: inverse depth without a unit, larger is nearer"
        )
    if quantity == QUANTITIES[publish]:
        return None
    if publish == "metres":
        return (
            f"The model {model} gives {quantity}, which has no metres, and none are made up. Name a metric model with "
            "-p model:=NAME, or take what it gives with -p publish:=relative"
        )
    return f"The model {model} gives {quantity}: take its metres with -p publish:=metres"


def codec_of(image_format: str) -> str | None:
    """The wire's codec of a sensor_msgs/CompressedImage by its `format`; None of one that is no jpeg or png picture."""
    said = image_format.lower()
    if "compresseddepth" in said:
        return None
    return "jpeg" if "jpeg" in said or "jpg" in said else "png" if "png" in said else None


def image_fields(depth: DepthMap) -> dict[str, object]:
    """Of sensor_msgs/Image, all but its header. Relative depth stays as it is: only its topic says what it is."""
    values = depth.values
    if depth.quantity == "metric-depth":
        values = np.where(np.isfinite(values) & (values > 0), values, np.float32(np.nan))
    height, width = values.shape
    # An array is what rclpy takes without looking at each byte.
    data = array("B", values.astype("<f4").tobytes())
    return {"height": height, "width": width, "encoding": "32FC1", "is_bigendian": 0, "step": width * 4, "data": data}


def compressed_depth_fields(depth: DepthMap, depth_max: float = DEPTH_MAX) -> dict[str, object]:
    """Of sensor_msgs/CompressedImage, all but its header. Metric depth alone: who reads it takes it for metres.

    What is as far as depth_max, in metres, has no depth; what is nearer than 16 bits hold (0.15 m) is put there.
    """
    if depth.quantity != "metric-depth":
        raise ValueError(f"compressedDepth is in metres, and {depth.quantity} has none; publish 32FC1 as relative")
    metres = depth.values.astype(np.float64)
    a = DEPTH_QUANTIZATION * (DEPTH_QUANTIZATION + 1)
    b = 1 - a / depth_max
    is_seen = np.isfinite(metres) & (metres > 0) & (metres < depth_max)
    steps = np.rint(a / np.where(is_seen, metres, depth_max) + b).clip(1, 65535)
    is_written, png = cv2.imencode(".png", np.where(is_seen, steps, 0).astype(np.uint16))
    assert is_written
    # 0 is INV_DEPTH, the only compression there is.
    return {"format": "32FC1; compressedDepth png", "data": array("B", struct.pack("<iff", 0, a, b) + png.tobytes())}
