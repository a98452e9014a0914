"""A flat drawing with known characters and boxes, and the brushes shared by plates and containers."""
from dataclasses import dataclass, field

import cv2
import numpy as np

from faces import CAP, CELL, PAD, line


@dataclass
class Scene:
    """Grey drawing (float32, 0..255). `chars`: (character, line 0|1, centre x, centre y). `box`: the object's outline
    x0, y0, x1, y1; `text_box`: around the characters only; `cap`: capital height in pixels; `vertical`: code column."""
    img: np.ndarray
    chars: list
    box: tuple
    text_box: tuple
    cap: float
    kind: str = ""
    vertical: bool = False
    extra: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(c[0] for c in self.chars)


def put(img, mask, x, y, ink, strength=1.0):
    """Blend `ink` (grey or array) into img through an 8-bit mask placed at x, y; clipped to the picture."""
    x, y = int(round(x)), int(round(y))
    h, w = mask.shape
    x0, y0, x1, y1 = max(0, x), max(0, y), min(img.shape[1], x + w), min(img.shape[0], y + h)
    if x1 <= x0 or y1 <= y0:
        return
    a = mask[y0 - y:y1 - y, x0 - x:x1 - x].astype(np.float32) * (strength / 255.0)
    part = img[y0:y1, x0:x1]
    part += (ink - part) * a


def words(rng, faces, img, text, x, y, height, ink, strength=1.0, vertical=False):
    """Small text whose characters carry no label. Returns its (x0, y0, x1, y1)."""
    face = faces.pick_font(rng)
    try:
        mask, _ = line(rng, face, text, gap=rng.uniform(2, 9))
    except (KeyError, ValueError):
        return (x, y, x, y)
    k = height / CAP
    mask = cv2.resize(mask, (max(1, int(mask.shape[1] * k)), max(3, int(CELL * k))), interpolation=cv2.INTER_AREA)
    if vertical:
        mask = cv2.rotate(mask, cv2.ROTATE_90_CLOCKWISE)
    put(img, mask, x, y - PAD * k, ink, strength)
    return (x, y, x + mask.shape[1], y + mask.shape[0])


def clouds(rng, h, w, cells=4):
    """Smooth random field in -1..1."""
    small = rng.standard_normal((max(2, int(rng.integers(2, cells + 2))), max(2, int(rng.integers(2, cells + 4))))).astype(np.float32)
    return np.clip(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR) * 0.5, -1, 1)


def speckle(rng, img, amount, tone):
    """Dirt and rust: soft blobs of another tone."""
    h, w = img.shape
    small = rng.standard_normal((max(2, h // int(rng.integers(3, 12))), max(2, w // int(rng.integers(3, 12))))).astype(np.float32)
    m = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    m = np.clip((m - (2.4 - 1.6 * amount)) * 1.5, 0, 1)
    img += (tone - img) * m * rng.uniform(0.4, 1.0)


def rounded(mask, x0, y0, x1, y1, r, value=255):
    r = int(max(0, min(r, (x1 - x0) // 2, (y1 - y0) // 2)))
    x0, y0, x1, y1 = int(x0), int(y0), int(x1), int(y1)
    cv2.rectangle(mask, (x0 + r, y0), (x1 - r, y1), value, -1)
    cv2.rectangle(mask, (x0, y0 + r), (x1, y1 - r), value, -1)
    if r:
        for cx, cy in ((x0 + r, y0 + r), (x1 - r, y0 + r), (x0 + r, y1 - r), (x1 - r, y1 - r)):
            cv2.circle(mask, (cx, cy), r, value, -1)
