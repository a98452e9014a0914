"""Batches for the reader: draws a kind, a scene and a view."""
import cv2
import numpy as np

import containers
import plates
from camera import reader_view
from faces import READABLE, Faces
from real_plates import SHARE, RealPlates
from scene import Scene, clouds
from strings import Grammar

KINDS = [("eu", 0.16), ("us", 0.16), ("br", 0.06), ("two", 0.10), ("trailer", 0.08), ("arabic", 0.14), ("adr", 0.03), ("code_line", 0.08), ("code_type", 0.06),
         ("code_stack", 0.08), ("code_column", 0.11), ("type", 0.06), ("none", 0.02)]
ALEF = 0.2                          # a lone stroke between dividers wants more examples than its share
STEPS = 48
POOL, VIEWS = 400, 3


class ReaderData:
    def __init__(self, seed, photos=None):
        self.real = RealPlates(photos) if photos else None
        self.rng = np.random.default_rng(seed)
        cv2.setNumThreads(1)
        self.faces = Faces(self.rng)
        self.grammar = Grammar()
        self.names = [k for k, _ in KINDS]
        self.p = np.array([w for _, w in KINDS])
        self.p /= self.p.sum()
        self.pool = []

    def scene(self, kind):
        rng = self.rng
        if kind in ("eu", "us", "br", "two", "trailer", "arabic"):
            return plates.plate(rng, self.faces, self.grammar, kind, ALEF)
        if kind == "adr":
            return plates.adr(rng, self.faces)
        if kind == "none":
            img, _ = containers.steel(rng, 90, 300)
            img += clouds(rng, 90, 300, 20) * rng.uniform(0, 60)
            return Scene(img, [], (10, 10, 290, 80), (10, 10, 290, 80), 56.0, "none", rng.random() < 0.3)
        if kind == "type":
            while True:
                s = containers.code(rng, self.faces, str(rng.choice(["code_type", "code_stack", "code_column"])))
                if s.extra:
                    box, chars = s.extra[0]
                    return Scene(s.img, chars, box, box, s.cap, "type", False)
        return containers.code(rng, self.faces, kind)

    def sample(self, d=1.0, kind=None):
        """(crop uint8 48x192, flag, labels, kind)."""
        while True:
            k = kind or self.names[int(self.rng.choice(len(self.names), p=self.p))]
            got = reader_view(self.rng, self.scene(k), d)
            if got is not None:
                return (*got, k)

    def pooled(self, d):
        """Like `sample`, but every scene is seen VIEWS times, some batches apart: drawing costs twice as much as viewing."""
        rng = self.rng
        while True:
            if len(self.pool) < POOL:
                k = self.names[int(rng.choice(len(self.names), p=self.p))]
                self.pool.append([self.scene(k), VIEWS])
                entry, at = self.pool[-1], len(self.pool) - 1
            else:
                at = int(rng.integers(POOL))
                entry = self.pool[at]
            entry[1] -= 1
            if entry[1] <= 0:
                self.pool[at] = self.pool[-1]
                self.pool.pop()
            got = reader_view(rng, entry[0], d)
            if got is not None:
                return got

    def batch(self, n, d=1.0):
        x = np.zeros((n, 2, 48, 192), np.float32)
        texts, pos = [], []
        for i in range(n):
            easy = self.rng.random() < 0.25          # clean views stay in, so that good pictures are read without fail
            hard = min(d, self.rng.uniform(0.1, 0.6)) if easy else d
            if self.real and self.rng.random() < SHARE:
                crop, text = self.real.crop(self.rng, hard)
                flag, labels, ids = 0, [], [READABLE.index(ch) + 1 for ch in text]
            else:
                crop, flag, labels = self.pooled(hard)
                ids = [READABLE.index(ch) + 1 for ch, _, _ in labels]
            c = crop.astype(np.float32)
            x[i, 0] = (c - c.mean()) / (c.std() + 4)
            x[i, 1] = flag
            texts.append(ids)
            pos += [(i, line * STEPS + min(STEPS - 1, int(p * STEPS)), c) for (_, line, p), c in zip(labels, ids)]
        return x, texts, np.array(pos, np.int64).reshape(-1, 3)


if __name__ == "__main__":
    import sys
    import time
    data = ReaderData(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print(len(data.faces.fonts), "font faces")
    for k, _ in KINDS:
        t = time.time()
        for _ in range(100):
            data.sample(1.0, k)
        print(k, f"{(time.time() - t) * 10:.2f} ms")
    rows = []
    for k, _ in KINDS:
        rows.append(np.hstack([cv2.copyMakeBorder(data.sample(1.0, k)[0], 2, 2, 2, 2, cv2.BORDER_CONSTANT) for _ in range(7)]))
        rows.append(np.hstack([cv2.copyMakeBorder(data.sample(1.0, k)[0], 2, 2, 2, 2, cv2.BORDER_CONSTANT) for _ in range(7)]))
    cv2.imwrite(sys.argv[1], np.vstack(rows))
