"""A camera beside its depth in a window: python webcam.py [ws://host:port]. Needs opencv-python. Press q to leave."""

import sys
import threading

import cv2
import numpy as np

from leadline_client import DepthMap, LeadlineError, connect


def colours(depth: DepthMap) -> np.ndarray:
    """Near is bright. The range is the server's, which follows the video slowly, so that colours do not flicker."""
    header = depth.header
    share = (depth.values - header.range_min) / max(header.range_max - header.range_min, 1e-6)
    if depth.quantity == "metric-depth":
        share = 1 - share
    return cv2.applyColorMap((share.clip(0, 1) * 255).astype(np.uint8), cv2.COLORMAP_TURBO)


def main(url: str) -> None:
    camera = cv2.VideoCapture(0)
    newest: list[DepthMap] = []

    with connect(url, on_event=lambda event: print(event, file=sys.stderr)) as stream:

        def read() -> None:
            try:
                for depth in stream.results:
                    newest[:] = [depth]
            except LeadlineError as error:
                print(error, file=sys.stderr)

        reader = threading.Thread(target=read)
        reader.start()
        while reader.is_alive() and cv2.waitKey(1) != ord("q"):
            has_picture, picture = camera.read()
            if not has_picture:
                break
            stream.send(cv2.imencode(".jpg", picture)[1].tobytes(), "jpeg")
            if newest:
                right = cv2.resize(colours(newest[0]), picture.shape[1::-1])
                cv2.imshow("Leadline", np.hstack([picture, right]))
        stream.close()
        reader.join()
    camera.release()


if __name__ == "__main__":
    main(*(sys.argv[1:2] or ["ws://127.0.0.1:8042"]))
