"""Pictures and target maps for the detector: rendered scenes, and the plate photos with their boxes."""
import csv
import glob
import os
import zlib

import cv2
import numpy as np

import containers
import plates
import scenes
from camera import degrade, warp_points
from faces import Faces
from strings import Grammar, ilu_code

HEIGHT, WIDTH, STRIDE, CLASSES = 480, 480, 16, 6
POOL, VIEWS = 60, 3


def photo_boxes(folder):
    """{file: [(x, y, w, h)]} of the plate photos; one in ten (by crc of the name) is held out."""
    out = {}
    with open(os.path.join(folder, "boxes.csv"), newline="") as f:
        for r in csv.DictReader(f):
            out.setdefault(r["file"], []).append(tuple(float(r[k]) for k in "xywh"))
    return out


def held_out(name):
    return zlib.crc32(name.encode()) % 10 == 0


class Photos:
    def __init__(self, folder):
        self.items = []
        boxes = photo_boxes(folder) if folder else {}
        for name in sorted(boxes):
            if held_out(name):
                continue
            img = cv2.imread(os.path.join(folder, name), cv2.IMREAD_GRAYSCALE)
            if img is not None:
                self.items.append((img, boxes[name]))

    def crop(self, rng, keep=True):
        """A WIDTH x HEIGHT window as float32 and the plates' quads; keep=False wipes the plates."""
        img, boxes = self.items[int(rng.integers(len(self.items)))]
        b = boxes[int(rng.integers(len(boxes)))]
        want = float(np.exp(rng.uniform(np.log(24), np.log(330))))
        k = float(np.clip(want / b[2], 0.25, 3.0)) if keep else rng.uniform(0.7, 2.0)
        stretch = float(np.exp(rng.normal() * 0.08))
        kx, ky = k * stretch, k / stretch
        cx, cy = (b[0] + b[2] / 2) * kx, (b[1] + b[3] / 2) * ky
        ox, oy = cx - WIDTH * rng.uniform(0.1, 0.9), cy - HEIGHT * rng.uniform(0.1, 0.9)
        src = img
        if not keep:
            src = img.copy()
            for x, y, w, h in boxes:
                x0, y0, x1, y1 = max(0, int(x) - 3), max(0, int(y) - 3), int(x + w) + 3, int(y + h) + 3
                part = src[y0:y1, x0:x1]
                if part.size:
                    src[y0:y1, x0:x1] = cv2.GaussianBlur(part, (0, 0), max(2.0, h / 2))
        if k < 0.8:
            src = cv2.GaussianBlur(src, (0, 0), 0.4 / k)
        a = rng.normal() * 1.5
        m = np.array([[kx, 0, -ox], [0, ky, -oy]])
        rot = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), a, 1.0)
        m = (np.vstack([rot, [0, 0, 1]]) @ np.vstack([m, [0, 0, 1]]))[:2]
        view = cv2.warpAffine(src, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=127).astype(np.float32)
        if not keep:
            return view, []
        objs = []
        for x, y, w, h in boxes:
            q = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]) @ m[:, :2].T + m[:, 2]
            objs.append((0, q, ""))
        return view, objs


class DetectorData:
    def __init__(self, seed, photos=None):
        self.rng = np.random.default_rng(seed)
        cv2.setNumThreads(1)
        self.faces = Faces(self.rng, drawn=120, drawn_share=0.4)
        self.grammar = Grammar()
        self.photos = Photos(photos)
        self.pool = []

    def _back(self):
        rng = self.rng
        if self.photos.items and rng.random() < 0.5:
            return self.photos.crop(rng, keep=False)[0]
        return scenes.backdrop(rng, HEIGHT, WIDTH)

    def _plate(self):
        rng = self.rng
        kind = str(rng.choice(["eu", "us", "br", "two"], p=[0.62, 0.13, 0.1, 0.15]))
        cap = float(np.exp(rng.uniform(np.log(5), np.log(48 if rng.random() < 0.85 else 75))))
        return plates.plate(rng, self.faces, self.grammar, kind), cap

    def patches(self):
        """Single objects in the open, each with a piece of what it stands on: ADR panels, codes of containers and swap bodies,
        plates of every kind, and lettering that is none of them."""
        rng = self.rng
        img, objs = self._back() if rng.random() < 0.5 else scenes.backdrop(rng, HEIGHT, WIDTH), []
        for _ in range(int(rng.integers(1, 4))):
            cap = float(np.exp(rng.uniform(np.log(6), np.log(46))))
            kind = str(rng.choice(["adr", "code", "arabic", "two", "eu", "other"], p=[0.28, 0.32, 0.1, 0.1, 0.08, 0.12]))
            if kind == "adr":
                scene, cls = plates.adr(rng, self.faces), 4
            elif kind == "code":
                layout = str(rng.choice(["code_line", "code_type", "code_stack", "code_column"]))
                scene = containers.code(rng, self.faces, layout, room=rng.uniform(0.8, 1.8), text=ilu_code(rng) if rng.random() < 0.4 else None)
                cls = {"code_line": 1, "code_column": 2, "code_stack": 3}[scene.kind]
            elif kind == "other":
                scene, cls = scenes.lettering(rng, self.faces), None
            else:
                scene, cls = plates.plate(rng, self.faces, self.grammar, kind), 0
            new, before = [], img.copy()
            t = scenes.paste_whole(rng, img, scene, cap)
            if t is None:
                continue
            h, w = scene.img.shape
            taken = warp_points(t, [(0, 0), (w, 0), (w, h), (0, h)])
            if any((taken.min(axis=0) < q.max(axis=0)).all() and (taken.max(axis=0) > q.min(axis=0)).all() for _, q, _ in objs):
                img[:] = before
                continue
            if cls is not None:
                new.append((cls, warp_points(t, scenes.rect_quad(*scene.box, cls == 2)), scene.text))
            if cls in (1, 2, 3) and scene.extra:
                box, chars = scene.extra[0]
                new.append((5, warp_points(t, scenes.rect_quad(*box)), "".join(c[0] for c in chars)))
            objs += new
        return img, objs

    def drawn(self):
        """A fresh picture before the camera: (grey float32, [(class, quad, text, real)], capital height)."""
        rng = self.rng
        r = rng.random()
        real = []
        cap = 14.0
        if r < 0.18 and self.photos.items:
            img, real = self.photos.crop(rng)
            objs = []
            if rng.random() < 0.3:
                got = list(real)
                n = len(got)
                scene, c = self._plate()
                scenes.paste_view(rng, img, scene, 0, c, got)
                objs = got[n:]
        elif r < 0.42:
            img, objs = self.patches()
        elif r < 0.50:
            img, objs = self._back(), []
            for _ in range(int(rng.integers(1, 5))):
                if rng.random() < 0.15:
                    scenes.paste_view(rng, img, plates.adr(rng, self.faces), 4, float(np.exp(rng.uniform(np.log(6), np.log(36)))), objs)
                else:
                    scene, c = self._plate()
                    scenes.paste_view(rng, img, scene, 0, c, objs)
        elif r < 0.60:
            img, objs, cap = scenes.truck(rng, self.faces, self.grammar, HEIGHT, WIDTH)
        else:
            img, objs, cap = scenes.container_scene(rng, self.faces, HEIGHT, WIDTH, self._back())
            if rng.random() < 0.15:
                scene, c = self._plate()
                scenes.paste_view(rng, img, scene, 0, c, objs)
        return img, [(*o, False) for o in objs] + [(*o, True) for o in real], cap

    def sample(self):
        """(picture uint8, [(class, quad, text, real)]). Each drawing is seen VIEWS times: moved, scaled, relit, degraded anew."""
        rng = self.rng
        if len(self.pool) < POOL:
            self.pool.append([self.drawn(), VIEWS])
            at = len(self.pool) - 1
        else:
            at = int(rng.integers(POOL))
        (img, objs, cap), left = self.pool[at]
        self.pool[at][1] -= 1
        if left < VIEWS:
            k = float(np.exp(rng.uniform(np.log(0.6), np.log(1.5))))
            a = rng.normal() * 2.5
            m = cv2.getRotationMatrix2D((WIDTH * rng.uniform(0.2, 0.8), HEIGHT * rng.uniform(0.2, 0.8)), a, k)
            src = cv2.GaussianBlur(img, (0, 0), 0.35 / k) if k < 0.8 else img
            img = cv2.warpAffine(src, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            objs = [(cls, q @ m[:, :2].T + m[:, 2], text, real) for cls, q, text, real in objs]
            cap *= k
        if self.pool[at][1] <= 0:
            self.pool[at] = self.pool[-1]
            self.pool.pop()
        if rng.random() < 0.15:                  # a broken-up or shaded picture
            img = img * np.float32(rng.uniform(0.3, 1.0))
        if rng.random() < 0.06:                  # reversed tones
            img = 255 - img
        return degrade(rng, img, min(cap, 11.0), 0.8), objs

    def batch(self, n):
        x = np.zeros((n, 1, HEIGHT, WIDTH), np.float32)
        maps, metas = [], []
        for i in range(n):
            img, objs = self.sample()
            x[i, 0] = (img.astype(np.float32) - 127.5) / 64
            heat, ignore, pos = targets(objs, HEIGHT, WIDTH)
            maps.append((heat, ignore))
            metas += [(i, *p) for p in pos]
        heat = np.stack([m[0] for m in maps])
        ignore = np.stack([m[1] for m in maps])
        return x, heat, ignore, np.array(metas, np.float32).reshape(-1, 12)


def oriented(quad):
    """(cx, cy, w, h, angle) of a quad whose first edge runs along the reading direction."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    axis = top + bottom
    a = float(np.arctan2(axis[1], axis[0]))
    u, v = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    w = (abs(top @ u) + abs(bottom @ u)) / 2
    h = (abs((quad[3] - quad[0]) @ v) + abs((quad[2] - quad[1]) @ v)) / 2
    c = quad.mean(axis=0)
    return float(c[0]), float(c[1]), float(w), float(h), a


def targets(objs, height, width):
    """Heat maps [CLASSES, h, w], ignore mask [h, w], and positives (row, col, dx, dy, lw, lh, sin, cos, weight, class, peak)."""
    gh, gw = height // STRIDE, width // STRIDE
    heat = np.zeros((CLASSES, gh, gw), np.float32)
    ignore = np.zeros((gh, gw), np.float32)
    pos = []
    rows, cols = np.mgrid[0:gh, 0:gw].astype(np.float32)
    xs, ys = (cols + 0.5) * STRIDE, (rows + 0.5) * STRIDE
    for cls, quad, _, real in objs:
        lo, hi = quad.min(axis=0), quad.max(axis=0)
        full = max(1.0, float(np.prod(hi - lo)))
        seen = np.prod(np.maximum(0, np.minimum(hi, (width, height)) - np.maximum(lo, 0)))
        cx, cy, w, h, a = oriented(quad)
        if seen <= 0:
            continue
        tiny = min(w, h) < 5.0 or max(w, h) < 14
        if seen / full < 0.9 or tiny:
            ignore[max(0, int(lo[1] // STRIDE)):int(hi[1] // STRIDE) + 1, max(0, int(lo[0] // STRIDE)):int(hi[0] // STRIDE) + 1] = 1
            if seen / full < 0.9 or min(w, h) < 4:
                continue
        u, v = (np.cos(a), np.sin(a)), (-np.sin(a), np.cos(a))
        du, dv = (xs - cx) * u[0] + (ys - cy) * u[1], (xs - cx) * v[0] + (ys - cy) * v[1]
        su, sv = max(10.0, 0.05 * w), max(9.0, 0.10 * h)
        g = np.exp(-0.5 * ((du / su) ** 2 + (dv / sv) ** 2))
        r, c = min(gh - 1, max(0, int(cy // STRIDE))), min(gw - 1, max(0, int(cx // STRIDE)))
        g[r, c] = 1.0
        np.maximum(heat[cls], g, out=heat[cls])
        for rr, cc in zip(*np.nonzero(g > 0.55)):
            pos.append((rr, cc, cx / STRIDE - cc - 0.5, cy / STRIDE - rr - 0.5, np.log(max(w, 2) / STRIDE), np.log(max(h, 2) / STRIDE),
                        np.sin(2 * a), np.cos(2 * a), 0.0 if real else 1.0, cls, float(g[rr, cc])))
    return heat, ignore, pos


if __name__ == "__main__":
    import sys
    import time
    data = DetectorData(int(sys.argv[2]) if len(sys.argv) > 2 else 5, sys.argv[3] if len(sys.argv) > 3 else None)
    t = time.time()
    sheet = []
    for _ in range(20):
        img, objs = data.sample()
        heat, ignore, pos = targets(objs, HEIGHT, WIDTH)
        view = cv2.cvtColor(img, cv2.COLOR_GRAY2BGR)
        for cls, q, _, real in objs:
            colour = [(0, 255, 0), (0, 200, 255), (255, 128, 0), (255, 0, 255), (0, 0, 255), (255, 255, 0)][cls]
            cv2.polylines(view, [np.round(q).astype(np.int32)], True, colour, 1)
            cv2.circle(view, tuple(int(v) for v in q[0]), 3, colour, -1)
        sheet.append(view)
    print(f"{(time.time() - t) * 50:.1f} ms each")
    cv2.imwrite(sys.argv[1], np.vstack([np.hstack(sheet[i:i + 5]) for i in range(0, 20, 5)]))
