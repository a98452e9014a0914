"""The product's decoding, in Python, for scoring: peaks, crops, CTC beams under a template, check digit, plate grammars."""
import math

import cv2
import numpy as np

from aligner_data import KINDS, VIEW_H, VIEW_W, view_size
from detector_data import STRIDE, oriented
from faces import READABLE as ALPHABET
from strings import LETTERS, Grammar, check_digit

CODE_CLASSES = (1, 2, 3)
STEPS = 48


def letterbox(gray, w=832, h=480):
    """(input [1,1,h,w], scale): the frame fitted to the top left, the rest neutral."""
    k = min(w / gray.shape[1], h / gray.shape[0])
    small = cv2.resize(gray, (max(1, round(gray.shape[1] * k)), max(1, round(gray.shape[0] * k))), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    x = np.full((h, w), 127.5, np.float32)
    x[:small.shape[0], :small.shape[1]] = small[:h, :w]
    return ((x - 127.5) / 64)[None, None], k


def peaks(maps, threshold):
    """[(class, score, cx, cy, w, h, a)] in input pixels, best first, near duplicates dropped."""
    n = maps.shape[0] - 6
    p = 1 / (1 + np.exp(-maps[:n]))
    found = []
    for cls in range(n):
        top = cv2.dilate(p[cls], np.ones((3, 3)))
        for r, c in zip(*np.nonzero((p[cls] >= top) & (p[cls] > threshold))):
            dx, dy, lw, lh, s, co = maps[n:, r, c]
            a = math.atan2(s, co) / 2
            if cls == 2 and a < 0:
                a += math.pi
            found.append((cls, float(p[cls, r, c]), (c + 0.5 + dx) * STRIDE, (r + 0.5 + dy) * STRIDE, STRIDE * math.exp(min(lw, 5)), STRIDE * math.exp(min(lh, 5)), a))
    found.sort(key=lambda f: -f[1])
    kept = []
    for f in found:
        near = max(6.0, 0.5 * min(f[4], f[5]))
        if all(f[0] != g[0] or math.hypot(f[2] - g[2], f[3] - g[3]) > near for g in kept):
            kept.append(f)
    return kept


def warp_quad(gray, quad, w, h):
    """The quad (corners in reading order) as a w x h picture, averaged down when it is larger."""
    long = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    tall = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    k = 1
    while k < 4 and (long > 1.5 * w * k or tall > 1.5 * h * k):
        k *= 2
    want = np.array([(0, 0), (w * k, 0), (w * k, h * k), (0, h * k)], np.float32) - 0.5
    m = cv2.getPerspectiveTransform(np.asarray(quad, np.float32) - 0.5, want)
    view = cv2.warpPerspective(gray, m, (w * k, h * k), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return view if k == 1 else cv2.resize(view, (w, h), interpolation=cv2.INTER_AREA)


def box_quad(cx, cy, w, h, a):
    u, v = np.array([math.cos(a), math.sin(a)]) * w / 2, np.array([-math.sin(a), math.cos(a)]) * h / 2
    c = np.array([cx, cy])
    return np.array([c - u - v, c + u - v, c + u + v, c - u + v])


def widened(quad, margin):
    """The quad with `margin` of its short side added at every edge, in its own perspective."""
    long = (np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2
    tall = (np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    m = margin * min(long, tall)
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    t = cv2.getPerspectiveTransform(unit, np.asarray(quad, np.float32)).astype(np.float64)
    mx, my = m / max(long, 1), m / max(tall, 1)
    pts = np.array([(-mx, -my), (1 + mx, -my), (1 + mx, 1 + my), (-mx, 1 + my)])
    q = t @ np.stack([pts[:, 0], pts[:, 1], np.ones(4)])
    return (q[:2] / q[2]).T


def log_softmax(z):
    z = z - z.max(axis=0, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=0, keepdims=True))


def greedy(logp):
    """Best path text and its log probability."""
    best = logp.argmax(axis=0)
    out, last = [], 0
    for k, c in enumerate(best):
        if c and c != last:
            out.append(ALPHABET[c - 1])
        last = c
    return "".join(out), float(logp.max(axis=0).sum())


_CAPITALS, _DIGITS = list(range(11, 37)), list(range(1, 11))
_CATEGORY = [ALPHABET.index(c) + 1 for c in "UJZ"]
CODE = [_CAPITALS] * 3 + [_CATEGORY] + [_DIGITS] * 7


def _add(a, b):
    if a == -math.inf:
        return b
    if b == -math.inf:
        return a
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def beam(logp, template=None, width=16, floor=-9.0):
    """Prefix beam search; with a template (list of allowed classes per place) a prefix grows only along it.
    Returns [(text, log p)] best first."""
    beams = {(): (0.0, -math.inf)}
    for t in range(logp.shape[1]):
        col = logp[:, t]
        nxt = {}
        alive = [c for c in range(1, len(col)) if col[c] > floor]
        for prefix, (pb, pn) in beams.items():
            total = _add(pb, pn)
            b, n = nxt.get(prefix, (-math.inf, -math.inf))
            b = _add(b, total + col[0])
            if prefix:
                n = _add(n, pn + col[prefix[-1]])
            nxt[prefix] = (b, n)
            if template is not None and len(prefix) >= len(template):
                continue
            allowed = alive if template is None else [c for c in template[len(prefix)] if col[c] > floor]
            for c in allowed:
                longer = prefix + (c,)
                b, n = nxt.get(longer, (-math.inf, -math.inf))
                n = _add(n, (pb if prefix and prefix[-1] == c else total) + col[c])
                nxt[longer] = (b, n)
        beams = dict(sorted(nxt.items(), key=lambda kv: -_add(*kv[1]))[:width])
    return [("".join(ALPHABET[c - 1] for c in k), _add(*v)) for k, v in sorted(beams.items(), key=lambda kv: -_add(*kv[1]))]


def read_code(logp, width=24):
    """Best complete container code with the right check digit, or None: (code, log p)."""
    for text, score in beam(logp, CODE, width):
        if len(text) == 11 and str(check_digit(text)) == text[10]:
            return text, score
    return None


class PlateReader:
    """Beam plus a bonus for texts that some country issues."""

    def __init__(self, regions=None, bonus=2.5):
        self.bonus = bonus
        self.shapes = []
        for c in Grammar().countries:
            if regions and c["region"] not in regions:
                continue
            letters = set(LETTERS) - set(c.get("letters_excluded", ""))
            for i, p in enumerate(c["patterns"]):
                shape, k = [], 0
                while k < len(p):
                    if p[k] == "\\":
                        k += 1
                        shape.append({p[k]})
                    else:
                        shape.append({"L": letters, "D": set("0123456789"), "A": letters | set("0123456789")}[p[k]])
                    k += 1
                self.shapes.append((shape, math.log(c.get("weight", 1)) * 0.3))

    def prior(self, text):
        best = None
        for shape, w in self.shapes:
            if len(shape) == len(text) and all(ch in s for ch, s in zip(text, shape)):
                best = w if best is None else max(best, w)
        return 0.0 if best is None else self.bonus + best

    def read(self, logp):
        cands = beam(logp, None, 12, floor=-7.0)
        return max(((t, s + self.prior(t), s) for t, s in cands if t), key=lambda c: c[1], default=("", -99.0, -99.0))


SURE, FAIR = -0.6, -1.5        # log p of a code: take it at once; take it after a second alignment


class Nets:
    """The three models in OpenCV DNN."""

    def __init__(self, folder):
        net = lambda name: cv2.dnn.readNetFromONNX(f"{folder}/{name}.onnx")
        self.detector, self.aligner, self.reader = net("detector"), net("aligner"), net("reader")

    def detect(self, gray, threshold):
        x, k = letterbox(gray)
        self.detector.setInput(x)
        return [(c, s, x / k, y / k, w / k, h / k, a) for c, s, x, y, w, h, a in peaks(self.detector.forward()[0], threshold)]

    def align(self, gray, box, column):
        """(quad in the picture, kind, its probability, furthest corner) of a rough box (cx, cy, w, h, a)."""
        cx, cy, w, h, a = box
        frame = box_quad(cx, cy, *view_size(w, h), a)
        view = warp_quad(gray, frame, VIEW_W, VIEW_H).astype(np.float32)
        x = np.stack([(view - view.mean()) / (view.std() + 4), np.full_like(view, float(column))])[None]
        self.aligner.setInput(x)
        out = self.aligner.forward().ravel()
        p = np.exp(out[8:] - out[8:].max())
        p /= p.sum()
        at = (out[:8].reshape(4, 2) + 1) / 2
        quad = frame[0] + at[:, :1] * (frame[1] - frame[0]) + at[:, 1:] * (frame[3] - frame[0])
        return quad, KINDS[int(p.argmax())], float(p[0]), float(np.abs(out[:8]).max())

    def logp(self, gray, quad, column, margin=0.12):
        c = warp_quad(gray, widened(quad, margin), 192, 48).astype(np.float32)
        x = np.stack([(c - c.mean()) / (c.std() + 4), np.full_like(c, float(column))])[None]
        self.reader.setInput(x)
        return log_softmax(self.reader.forward()[0])

    def quad_of(self, gray, box):
        """The aligned quad of a detected box, aligned twice when it reaches the view's edge; and p(none)."""
        column = box[0] == 2
        quad, kind, none, reach = self.align(gray, box[2:], column)
        if reach > 0.9:
            quad, kind, none, reach = self.align(gray, oriented(quad), column)
        return quad, none

    def code_in(self, gray, box):
        """Best code of one detected box: (code, log p) or None."""
        column = box[0] == 2
        quad, none = self.quad_of(gray, box)
        best = None
        for turn, margin in ((0, 0.12), (0, 0.22), (1, 0.12), (1, 0.04), (2, 0.12), (2, 0.3)):
            if turn == 1 and margin == 0.12:
                quad = self.align(gray, oriented(quad), column)[0]
            q = quad if turn < 2 else box_quad(*box[2:])
            got = read_code(self.logp(gray, q, column, margin))
            if got and (best is None or got[1] > best[1]):
                best = got
            if best and best[1] > (SURE if turn == 0 else FAIR):
                break
        return best

    def code(self, gray, low=0.12, most=6):
        """Best container code of a frame: (code, log p, box) or None."""
        best = None
        for b in [b for b in self.detect(gray, low) if b[0] in CODE_CLASSES][:most]:
            if b[1] < 0.3 and best is not None and best[1] > FAIR:
                break
            got = self.code_in(gray, b)
            if got and (best is None or got[1] > best[1]):
                best = (*got, b)
        return best

    def plate(self, gray, plates, threshold=0.15, most=4):
        """Best plate text: (text, score, box); the best of three crops counts."""
        out = []
        for b in [b for b in self.detect(gray, threshold) if b[0] == 0][:most]:
            quad, none = self.quad_of(gray, b)
            if none > 0.9:
                continue
            results = {}
            for margin in (0.12, 0.05, 0.2):
                text, score, _ = plates.read(self.logp(gray, quad, False, margin))
                results[text] = max(results.get(text, -99), score)
            text = max(results, key=results.get)
            if len(text) >= 4:
                out.append((text, results[text] + 2 * math.log(b[1]), b))
        return max(out, key=lambda o: o[1], default=None)
