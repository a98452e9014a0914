"""Checkpoints -> ONNX with models.toml.

    python export.py --reader reader.pt --detector detector.pt --aligner aligner.pt --out ../models --version 0.4.0

Several checkpoints of one net that grew from one another are averaged: what two runs learned, with less of the haste of either.
"""
import argparse
import hashlib
import os

import numpy as np
import onnx
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from aligner import Aligner
from aligner_data import KINDS, VIEW_H, VIEW_W
from detector import Detector
from detector_data import STRIDE
from faces import READABLE
from reader import STEPS, Reader
from scenes import CLASSES


def fold(module):
    """Fold every BatchNorm into the convolution before it."""
    for name, child in module.named_children():
        fold(child)
    if isinstance(module, torch.nn.Sequential):
        kids = list(module.named_children())
        for (na, a), (nb, b) in zip(kids, kids[1:]):
            if isinstance(a, torch.nn.Conv2d) and isinstance(b, torch.nn.BatchNorm2d):
                setattr(module, na, fuse_conv_bn_eval(a, b))
                setattr(module, nb, torch.nn.Identity())
    return module


def load(net, paths):
    states = [torch.load(path, map_location="cpu")["ema"] for path in paths]
    mean = {k: sum(s[k] for s in states) / len(states) if v.is_floating_point() else v for k, v in states[-1].items()}
    net.load_state_dict(mean)
    return fold(net.eval()).eval()


def write(net, x, path, name_in, name_out, sizes=None):
    """Export, then clean constants that some engines refuse. `sizes`: names of input dimensions that may vary."""
    torch.onnx.export(net, x, path, input_names=[name_in], output_names=[name_out], opset_version=11, dynamo=False, do_constant_folding=True,
                      dynamic_axes={name_in: sizes} if sizes else None)
    model = onnx.load(path)
    graph = model.graph
    constants = {t.name: t for t in graph.initializer}
    for node in list(graph.node):                # Identity of an initializer (merged equal tensors): give it its own copy
        if node.op_type == "Identity" and node.input[0] in constants:
            copy = onnx.TensorProto()
            copy.CopyFrom(constants[node.input[0]])
            copy.name = node.output[0]
            graph.initializer.append(copy)
            graph.node.remove(node)
    onnx.checker.check_model(model)
    model.producer_name, model.producer_version = "varco", ""
    onnx.save(model, path)
    allowed = {"Conv", "Relu", "Add", "Concat", "Slice", "Reshape", "Resize", "Constant"}
    ops = {n.op_type for n in graph.node}
    if ops - allowed:
        raise SystemExit(f"{path}: operators outside the agreed set: {ops - allowed}")
    with torch.no_grad():
        want = net(x).numpy()
    import cv2
    dnn = cv2.dnn.readNetFromONNX(path)
    dnn.setInput(x.numpy())
    got = dnn.forward()
    print(path, got.shape, "largest difference to PyTorch", float(np.abs(got - want).max()), "OpenCV", cv2.__version__, sorted(ops))


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--reader", nargs="+")
    ap.add_argument("--detector", nargs="+")
    ap.add_argument("--aligner", nargs="+")
    ap.add_argument("--width", type=int, default=832, help="of the detector's input, a multiple of 32")
    ap.add_argument("--height", type=int, default=480)
    ap.add_argument("--out", default="../models")
    ap.add_argument("--version", default="0.2.0")
    args = ap.parse_args()
    torch.manual_seed(0)
    at = lambda name: os.path.join(args.out, name + ".onnx")
    if args.reader:
        write(load(Reader(), args.reader), torch.randn(1, 2, 48, 192), at("reader"), "crop", "logits")
    if args.detector:
        write(load(Detector(), args.detector), torch.randn(1, 1, args.height, args.width), at("detector"), "frame", "maps", {2: "height", 3: "width"})
    if args.aligner:
        write(load(Aligner(), args.aligner), torch.randn(1, 2, VIEW_H, VIEW_W), at("aligner"), "view", "quad")
    listed = lambda names: "[" + ", ".join(f'"{n}"' for n in names) + "]"
    with open(os.path.join(args.out, "models.toml"), "w") as f:
        f.write(f"""# The card of the nets beside it, written by training/export.py. Class 0 of the reader is the blank.
version = "{args.version}"
alphabet = "{READABLE}"
classes = {listed(CLASSES)}
[reader]
file = "reader.onnx"
width_px = 192
height_px = 48
planes = 2
steps = {2 * STEPS}
sha256 = "{digest(at("reader"))}"
[detector]
file = "detector.onnx"
width_px = {args.width}
height_px = {args.height}
stride_px = {STRIDE}
sha256 = "{digest(at("detector"))}"
[aligner]
file = "aligner.onnx"
width_px = {VIEW_W}
height_px = {VIEW_H}
planes = 2
kinds = {listed(KINDS)}
sha256 = "{digest(at("aligner"))}"
""")
