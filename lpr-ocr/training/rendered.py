"""Rendered measuring sets with truth.csv, kept apart from training by their seed: adr, ilu, arabic, two_row, one_row, empty.

    python rendered.py --kind adr --count 2000 --out FOLDER [--seed 9000]

Frames of 960 x 540 with one object in a yard, on a vehicle or on a wall; `empty` holds the same scenes with nothing to read
(company names, phone numbers, notices, dealers' frames), for the false reads per 1,000 frames.
"""
import argparse
import csv
import os

import cv2
import numpy as np

import containers
import plates
import scenes
from aligner_data import AlignerData
from camera import degrade, warp_points
from strings import ilu_code

HEIGHT, WIDTH = 540, 960
KINDS = ["adr", "ilu", "arabic", "two_row", "empty", "one_row"]


def pasted(rng, img, scene, cap):
    """Paste the scene; its object's upright box, or None where it does not fit."""
    t = scenes.paste_whole(rng, img, scene, cap)
    if t is None:
        return None
    x0, y0, x1, y1 = scene.box
    box = warp_points(t, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    return (*box.min(axis=0), *(box.max(axis=0) - box.min(axis=0)))


def frame(data, kind):
    """(picture uint8, text, box, region, layout)."""
    rng = data.rng
    while True:
        img = scenes.backdrop(rng, HEIGHT, WIDTH)
        cap = float(np.exp(rng.uniform(np.log(16), np.log(44))))
        layout = ""
        if kind == "empty":
            for _ in range(int(rng.integers(1, 5))):
                pasted(rng, img, scenes.lettering(rng, data.faces), cap)
            return degrade(rng, img, 12, 0.6), "", (0, 0, 0, 0), "none", ""
        if kind == "adr":
            scene, region = plates.adr(rng, data.faces), "adr"
        elif kind == "ilu":
            layout = str(rng.choice(["code_line", "code_stack", "code_column"]))
            scene, region = containers.code(rng, data.faces, layout, room=1.3, text=ilu_code(rng), smooth=True), "container"
            layout = {"code_line": "horizontal", "code_stack": "stack", "code_column": "vertical"}[layout]
        elif kind == "one_row":
            group = str(rng.choice(["eu", "us", "br"], p=[0.6, 0.25, 0.15]))
            scene, region = plates.plate(rng, data.faces, data.grammar, group), group
        else:
            scene, region = plates.plate(rng, data.faces, data.grammar, "arabic" if kind == "arabic" else "trailer"), "arabic" if kind == "arabic" else "eu"
        box = pasted(rng, img, scene, cap)
        if box is None:
            continue
        text = scene.text
        if kind == "adr":
            text = "".join(c for c, k, _, _ in scene.chars if k == 0) + "/" + "".join(c for c, k, _, _ in scene.chars if k == 1)
        return degrade(rng, img, cap, 0.5), text, box, region, layout


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--kind", choices=KINDS, required=True)
    ap.add_argument("--count", type=int, default=2000)
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=9000)
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    data = AlignerData(args.seed + KINDS.index(args.kind))
    with open(os.path.join(args.out, "truth.csv"), "w", newline="") as f:
        out = csv.writer(f)
        out.writerow("file,text,x,y,w,h,region,type_code,layout".split(","))
        for i in range(args.count):
            img, text, box, region, layout = frame(data, args.kind)
            name = f"{args.kind}-{i:04d}.jpg"
            cv2.imwrite(os.path.join(args.out, name), img, [cv2.IMWRITE_JPEG_QUALITY, 88])
            out.writerow([name, text, *(int(round(float(v))) for v in box), region, "", layout])
