"""Run the models in the OpenCV of this Python and compare with reference outputs.

    python check_opencv.py write MODELS REF.npz      (any OpenCV)
    /usr/bin/python3 check_opencv.py compare MODELS REF.npz   (Debian's 4.6)
"""
import os
import sys
import time

import cv2
import numpy as np


def run(folder):
    rng = np.random.default_rng(7)
    out = {}
    for name, shape in (("reader", (1, 2, 48, 192)), ("detector", (1, 1, 480, 832)), ("aligner", (1, 2, 64, 256))):
        net = cv2.dnn.readNetFromONNX(os.path.join(folder, name + ".onnx"))
        x = rng.standard_normal(shape).astype(np.float32)
        net.setInput(x)
        out[name] = net.forward().copy()
        times = []
        for _ in range(5):
            t = time.process_time()
            net.setInput(x)
            net.forward()
            times.append(time.process_time() - t)
        print(f"OpenCV {cv2.__version__} {name} {out[name].shape} {min(times) * 1000:.1f} ms CPU")
    return out


if __name__ == "__main__":
    cv2.setNumThreads(1)
    got = run(sys.argv[2])
    if sys.argv[1] == "write":
        np.savez(sys.argv[3], **got)
    else:
        ref = np.load(sys.argv[3])
        for k, v in got.items():
            gap = float(np.abs(v - ref[k]).max())
            print(k, "largest difference", gap)
            if v.shape != ref[k].shape or gap > 1e-3:
                sys.exit(1)
