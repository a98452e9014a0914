"""Real plates for the reader: the permissively licensed photos of `DATA.md` with our own labels (`train-plates.csv`).

The labels give the corners of the text in reading order and the text; pictures stay where they are. Held-out photos, and every plate
whose text is within one character of a development plate, have no label.
"""
import csv
import os

import cv2
import numpy as np

from camera import READER_H, READER_W, degrade

SHARE = 0.12                        # of the reader's crops, where the photos are at hand


class RealPlates:
    def __init__(self, folder):
        self.items, pictures = [], {}
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "train-plates.csv"), newline="", encoding="utf-8") as f:
            for r in csv.DictReader(f):
                if r["file"] not in pictures:
                    pictures[r["file"]] = cv2.imread(os.path.join(folder, r["file"]), cv2.IMREAD_GRAYSCALE)
                if pictures[r["file"]] is None:
                    raise FileNotFoundError(f"{os.path.join(folder, r['file'])}: named in train-plates.csv, not readable")
                quad = np.array([float(r[k]) for k in ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")]).reshape(4, 2)
                self.items.append((*self.piece(pictures[r["file"]], quad), r["text"]))

    @staticmethod
    def piece(picture, quad):
        """The neighbourhood of a plate and the quad in it: whole pictures would fill the memory."""
        short = np.linalg.norm(quad[3] - quad[0])
        lo = np.maximum(np.floor(quad.min(axis=0) - short), 0).astype(int)
        hi = np.ceil(quad.max(axis=0) + short).astype(int)
        return picture[lo[1]:hi[1], lo[0]:hi[0]].copy(), quad - lo

    def crop(self, rng, d):
        """(48 x 192 uint8, text): seen a little beside its corners, at its own size or smaller, relit and dirtied."""
        picture, quad, text = self.items[int(rng.integers(len(self.items)))]
        short = min(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[1] - quad[0]))
        out = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
        margin = rng.uniform(0.0, 0.26) + rng.normal() * 0.03
        corner = quad + out * margin * short + rng.normal(size=(4, 2)) * np.array([0.05, 0.045]) * short * d
        edges = [np.linalg.norm(corner[i] - corner[(i + 1) % 4]) for i in range(4)]
        smaller = min(1.0, float(np.exp(rng.uniform(np.log(16), np.log(64)))) / max(8.0, edges[1])) if rng.random() < 0.6 else 1.0
        stretch = float(np.exp(rng.normal() * 0.08))
        w, h = (max(6, round((edges[k] + edges[k + 2]) / 2 * smaller * s)) for k, s in ((0, stretch), (1, 1 / stretch)))
        want = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32) - 0.5
        m = cv2.getPerspectiveTransform((corner - 0.5).astype(np.float32), want)
        view = cv2.warpPerspective(picture, m, (w, h), flags=cv2.INTER_AREA if smaller < 0.6 else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        view = degrade(rng, view.astype(np.float32), h * 0.6, d * 0.5)       # a photo brings blur and noise of its own
        if rng.random() < 0.12:
            view = 255 - view
        return cv2.resize(view, (READER_W, READER_H), interpolation=cv2.INTER_AREA if h > READER_H else cv2.INTER_LINEAR), text
