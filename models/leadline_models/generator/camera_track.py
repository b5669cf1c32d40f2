"""Where the camera goes: a smooth path, a slow turn, and the tremor of a hand.

Camera axes: x right, y down, z forward.
"""

from dataclasses import dataclass

import numpy as np

from .scene import Scene


@dataclass
class View:
    """What a composer asks of the camera."""

    position: np.ndarray  # (3,), metres
    yaw: float  # rad, 0 looks along +z
    pitch: float  # rad, positive looks up
    speed: float  # m/s
    drift_angle: float  # rad, spread of the direction of travel around the direction of view


@dataclass
class CameraTrack:
    time_s: np.ndarray  # (T,)
    positions: np.ndarray  # (T, 3)
    rotations: np.ndarray  # (T, 3, 3), rows are the camera's x, y, z axes in world coordinates
    half_width_tan: float  # tan of half the horizontal field of view


def sample_track(scene: Scene, view: View, num_frames: int, frame_s: float, aspect: float) -> CameraTrack:
    """aspect: width / height. The field of view is drawn for the longer side."""
    s = scene
    time = np.arange(num_frames) * frame_s
    long_side_fov = np.deg2rad(np.clip(s.rng.normal() * 14 + 66, 38, 105))
    half_width_tan = np.tan(long_side_fov / 2) * min(1.0, aspect)

    heading = view.yaw + s.rng.normal() * view.drift_angle
    velocity = np.array([np.sin(heading), 0.15 * s.rng.normal(), np.cos(heading)]) * view.speed
    tremor = hand_tremor(s, time)  # (T, 6)
    positions = view.position + time[:, None] * velocity + 0.03 * tremor[:, :3]
    if scene.is_outdoor:
        positions[:, 1] = np.maximum(positions[:, 1], 0.4)
    else:
        positions = np.clip(positions, scene.room_low + 0.25, scene.room_high - 0.25)

    roll_deg = s.rng.normal() * (3 if s.chance(0.85) else 12)
    yaw = view.yaw + 0.35 * s.rng.normal() * time + 0.03 * tremor[:, 3]
    pitch = np.clip(view.pitch + 0.08 * s.rng.normal() * time + 0.02 * tremor[:, 4], -1.45, 1.1)
    roll = np.deg2rad(roll_deg) + 0.01 * tremor[:, 5]
    rotations = np.stack([camera_axes(*angles) for angles in zip(yaw, pitch, roll)])
    return CameraTrack(time, positions, rotations, half_width_tan)


def hand_tremor(s: Scene, time: np.ndarray) -> np.ndarray:
    """Six slow sines that start at zero; most hands are steady: (T, 6)."""
    phase, frequency_hz = s.rng.uniform(0, 2 * np.pi, 6), s.rng.uniform(0.3, 2, 6)
    swing = np.sin(2 * np.pi * frequency_hz * time[:, None] + phase) - np.sin(phase)
    return swing * s.uniform(0, 1) ** 2


def camera_axes(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rows: right, down, forward."""
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    down = np.cross(right, forward)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([right * c + down * s, down * c - right * s, forward])
