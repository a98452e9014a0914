"""Views for the aligner: a rough detector box around a text, and the exact quad of the text in it."""
import cv2
import numpy as np

import containers
import plates
import scenes
from camera import degrade, homography, shrink, warp_points
from detector_data import Photos, oriented
from faces import Faces
from scene import Scene
from strings import Grammar

VIEW_W, VIEW_H = 256, 64
KINDS = ["none", "plate", "plate_two_line", "code_line", "code_column", "code_stack", "type_code", "adr_panel"]
SHARES = [("eu", 0.18), ("us", 0.09), ("br", 0.06), ("two", 0.14), ("arabic", 0.06), ("adr", 0.07), ("code_line", 0.09), ("code_type", 0.07),
          ("code_stack", 0.09), ("code_column", 0.12), ("type", 0.06), ("none", 0.13)]
POOL, VIEWS, BACKS = 300, 4, 120


def view_size(w, h):
    """Width and height of the view of a rough box."""
    return 1.3 * w + 0.8 * h, 2.2 * h + 0.06 * w


class AlignerData:
    def __init__(self, seed, photos=None):
        self.rng = np.random.default_rng(seed)
        cv2.setNumThreads(1)
        self.faces = Faces(self.rng)
        self.grammar = Grammar()
        self.photos = Photos(photos)
        self.names = [k for k, _ in SHARES]
        self.p = np.array([w for _, w in SHARES])
        self.p /= self.p.sum()
        self.pool, self.backs = [], []

    def back(self, h, w):
        """A piece of yard, vehicle or wall, h x w."""
        rng = self.rng
        if len(self.backs) < BACKS or rng.random() < 0.02:
            new = self.photos.crop(rng, keep=False)[0] if self.photos.items and rng.random() < 0.6 else scenes.backdrop(rng, 480, 480)
            if len(self.backs) < BACKS:
                self.backs.append(new)
            else:
                self.backs[int(rng.integers(BACKS))] = new
        src = self.backs[int(rng.integers(len(self.backs)))]
        k = max(rng.uniform(0.3, 1.5), h / src.shape[0], w / src.shape[1])
        sh, sw = min(src.shape[0], int(h / k) + 1), min(src.shape[1], int(w / k) + 1)
        y, x = int(rng.integers(src.shape[0] - sh + 1)), int(rng.integers(src.shape[1] - sw + 1))
        return cv2.resize(src[y:y + sh, x:x + sw], (w, h), interpolation=cv2.INTER_LINEAR)

    def scene(self, kind):
        rng = self.rng
        if kind in ("eu", "us", "br", "two", "arabic"):
            return plates.plate(rng, self.faces, self.grammar, kind)
        if kind == "adr":
            return plates.adr(rng, self.faces)
        if kind == "none":
            return scenes.lettering(rng, self.faces) if rng.random() < 0.75 else None
        if kind == "type":
            while True:
                s = containers.code(rng, self.faces, str(rng.choice(["code_type", "code_stack", "code_column"])), room=1.6)
                if s.extra:
                    box, chars = s.extra[0]
                    return Scene(s.img, chars, box, box, s.cap, "type", False)
        return containers.code(rng, self.faces, kind, room=1.8)

    def label(self, kind):
        return {"eu": 1, "us": 1, "br": 1, "arabic": 1, "two": 2, "code_line": 3, "code_type": 3, "code_column": 4, "code_stack": 5, "type": 6, "adr": 7}.get(kind, 0)

    def view(self, scene, kind, d=1.0):
        """(view uint8 64x256, flag, quad [4,2] in -1..1 or None, kind number), or None when the geometry degenerates."""
        rng = self.rng
        if scene is None:                            # bare background
            view = self.back(VIEW_H, VIEW_W)
            return degrade(rng, view, rng.uniform(6, 20), d), int(rng.random() < 0.3), None, 0
        cap = float(np.exp(rng.uniform(np.log(8 + 8 * (1 - d)), np.log(48))))
        h, w = scene.img.shape
        scale = cap / scene.cap
        plate = scene.kind in ("plate", "adr")
        m = homography(rng, w, h, scale, d, oblique=0.35 if plate else 0.2)
        if rng.random() < 0.25:                      # tilted camera or vehicle
            a = np.radians(rng.normal() * 7 * d)
            m = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]]) @ m
        column = scene.vertical
        exact = warp_points(m, scenes.rect_quad(*scene.text_box, column))
        rough = warp_points(m, scenes.rect_quad(*(scene.text_box if rng.random() < 0.2 else scene.box), column))
        cx, cy, bw, bh, a = oriented(rough)
        if rng.random() < 0.12:                      # a detector that saw no tilt
            lo, hi = rough.min(axis=0), rough.max(axis=0)
            size = hi - lo
            a = np.pi / 2 if column else 0.0
            bw, bh = (size[1], size[0]) if column else (size[0], size[1])
        if not (4 < bh < 300 and 8 < bw < 1500 and bw / bh < 40):
            return None
        loose = 1.0 if rng.random() < 0.6 else 1.9
        a += rng.normal() * np.radians(1.6) * loose * (1.6 if bw < 5 * bh else 1.0)
        u, v = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
        c = np.array([cx, cy]) + u * rng.normal() * (0.02 * bw + 0.06 * bh) * loose + v * rng.normal() * 0.10 * bh * loose
        bw *= float(np.exp(rng.normal() * 0.07 * loose))
        bh *= float(np.exp(rng.normal() * 0.11 * loose))
        W, H = view_size(bw, bh)
        z = min(1.0, 560 / W, 160 / H)               # natural pixels, bounded
        pw, ph = max(8, int(round(W * z))), max(6, int(round(H * z)))
        o = c - u * W / 2 - v * H / 2
        to = np.array([[u[0], u[1], -u @ o], [v[0], v[1], -v @ o], [0, 0, 1.0]])
        to = np.diag([pw / W, ph / H, 1.0]) @ to
        flat, k = shrink(scene.img, scale * z)
        full = to @ m @ np.diag([1 / k, 1 / k, 1.0])
        if plate and rng.random() < 0.75:
            img = self.back(ph, pw)
            scenes.over(img, flat, full)
        else:
            img = cv2.warpPerspective(flat, full, (pw, ph), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT if rng.random() < 0.3 else cv2.BORDER_REPLICATE)
        img = degrade(rng, img, cap * z, d)
        img = cv2.resize(img, (VIEW_W, VIEW_H), interpolation=cv2.INTER_AREA if ph > VIEW_H else cv2.INTER_LINEAR)
        number = self.label(kind)
        quad = warp_points(to, exact) / (pw, ph) * 2 - 1
        if number and np.abs(quad).max() > 1.4:
            return None
        return img, int(column), quad if number else None, number

    def sample(self, d=1.0):
        rng = self.rng
        while True:
            if len(self.pool) < POOL:
                kind = self.names[int(rng.choice(len(self.names), p=self.p))]
                self.pool.append([kind, self.scene(kind), VIEWS])
                at = len(self.pool) - 1
            else:
                at = int(rng.integers(POOL))
            kind, scene, left = self.pool[at]
            self.pool[at][2] -= 1
            if left <= 1:
                self.pool[at] = self.pool[-1]
                self.pool.pop()
            got = self.view(scene, kind, d)
            if got is not None:
                return got

    def batch(self, n, d=1.0):
        x = np.zeros((n, 2, VIEW_H, VIEW_W), np.float32)
        quads, kinds = np.zeros((n, 8), np.float32), np.zeros(n, np.int64)
        for i in range(n):
            img, flag, quad, kind = self.sample(d)
            g = img.astype(np.float32)
            x[i, 0] = (g - g.mean()) / (g.std() + 4)
            x[i, 1] = flag
            kinds[i] = kind
            if quad is not None:
                quads[i] = quad.ravel()
        return x, quads, kinds


if __name__ == "__main__":
    import sys
    import time
    data = AlignerData(int(sys.argv[2]) if len(sys.argv) > 2 else 1, sys.argv[3] if len(sys.argv) > 3 else None)
    data.batch(600)
    t = time.time()
    data.batch(200)
    print(f"{(time.time() - t) * 5:.2f} ms each")
    rows = []
    for _ in range(16):
        row = []
        for _ in range(6):
            img, flag, quad, kind = data.sample()
            view = cv2.cvtColor(img, cv2.COLOR_GRAY2BGR)
            if quad is not None:
                q = np.round((quad + 1) / 2 * (VIEW_W, VIEW_H)).astype(np.int32)
                cv2.polylines(view, [q], True, (0, 255, 0), 1)
                cv2.circle(view, tuple(int(v) for v in q[0]), 3, (0, 128, 255), -1)
            cv2.putText(view, KINDS[kind], (2, 10), cv2.FONT_HERSHEY_PLAIN, 0.7, (0, 255, 255))
            row.append(cv2.copyMakeBorder(view, 2, 2, 2, 2, cv2.BORDER_CONSTANT))
        rows.append(np.hstack(row))
    cv2.imwrite(sys.argv[1], np.vstack(rows))
