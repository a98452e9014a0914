"""The product's decoding, in Python, for scoring: peaks, crops, CTC beams under a template, check digit, plate grammars."""
import math

import cv2
import numpy as np

from strings import ALPHABET, Grammar, check_digit

CODE_CLASSES = (1, 2, 3)
STEPS = 48


def letterbox(gray, w=960, h=544):
    """(input [1,1,h,w], scale): the frame fitted to the top left, the rest neutral."""
    k = min(w / gray.shape[1], h / gray.shape[0])
    small = cv2.resize(gray, (max(1, round(gray.shape[1] * k)), max(1, round(gray.shape[0] * k))), interpolation=cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR)
    x = np.full((h, w), 127.5, np.float32)
    x[:small.shape[0], :small.shape[1]] = small[:h, :w]
    return ((x - 127.5) / 64)[None, None], k


def peaks(maps, threshold):
    """[(class, score, cx, cy, w, h, a)] in input pixels, best first, near duplicates dropped."""
    p = 1 / (1 + np.exp(-maps[:5]))
    found = []
    for cls in range(5):
        top = cv2.dilate(p[cls], np.ones((3, 3)))
        for r, c in zip(*np.nonzero((p[cls] >= top) & (p[cls] > threshold))):
            dx, dy, lw, lh, s, co = maps[5:11, r, c]
            a = math.atan2(s, co) / 2
            if cls == 2 and a < 0:
                a += math.pi
            found.append((cls, float(p[cls, r, c]), (c + 0.5 + dx) * 8, (r + 0.5 + dy) * 8, 8 * math.exp(min(lw, 6)), 8 * math.exp(min(lh, 6)), a))
    found.sort(key=lambda f: -f[1])
    kept = []
    for f in found:
        near = max(6.0, 0.5 * min(f[4], f[5]))
        if all(f[0] != g[0] or math.hypot(f[2] - g[2], f[3] - g[3]) > near for g in kept):
            kept.append(f)
    return kept


def crop(gray, cx, cy, w, h, a, margin=0.10, long=0.0):
    """192 x 48 crop of an oriented box; `margin` of the short side at every edge, `long` of the long side at both ends."""
    m = margin * min(w, h)
    w, h = w + 2 * m + 2 * long * w, h + 2 * m
    u, v = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
    # sample at twice the size when the box is large, then average down
    k = 2 if w > 300 or h > 72 else 1
    if w > 900 or h > 200:
        k = 4
    o = np.array([cx, cy]) - u * w / 2 - v * h / 2
    ex, ey = u * w / (192 * k), v * h / (48 * k)
    m23 = np.array([[ex[0], ey[0], o[0] + (ex[0] + ey[0]) / 2 - 0.5], [ex[1], ey[1], o[1] + (ex[1] + ey[1]) / 2 - 0.5]])
    view = cv2.warpAffine(gray, m23, (192 * k, 48 * k), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return view if k == 1 else cv2.resize(view, (192, 48), interpolation=cv2.INTER_AREA)


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


_LETTERS, _DIGITS = list(range(11, 37)), list(range(1, 11))
_CATEGORY = [ALPHABET.index(c) + 1 for c in "UJZ"]
CODE = [_LETTERS] * 3 + [_CATEGORY] + [_DIGITS] * 7


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
        alive = [c for c in range(1, 37) if col[c] > floor]
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
            letters = set(ALPHABET[10:]) - set(c.get("letters_excluded", ""))
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


CUT = 2.0                      # taken from the log p of a read that touches an edge
REACH = 12.0                   # steps by which an end that cuts a character is moved out
SURE, FAIR = -0.6, -1.5        # log p of a code: take it at once; take it after the ends were followed


def touches(logp, cls):
    """True when a character lies at the edge of the crop: it may be cut, and a cut character reads as another one."""
    seen = 1 - np.exp(logp[0])
    seen = np.maximum(seen[:STEPS], seen[STEPS:]) if cls == 3 else seen[:STEPS]
    return bool(max(seen[0], seen[-1]) > 0.4)


def follow(logp, cls, box, margin, long):
    """The box with its ends moved to the first and last character the reader saw; stretched where they touch the edge."""
    x, y, w, h, a = box
    seen = 1 - np.exp(logp[0])
    seen = np.maximum(seen[:STEPS], seen[STEPS:]) if cls == 3 else seen[:STEPS]
    at = np.flatnonzero(seen > 0.4)
    if at.size < 3:
        return box
    count = 7 if cls == 3 else 11
    pitch = max(1.5, (at[-1] - at[0]) / count)
    first, last = at[0] - 0.6 * pitch, at[-1] + 1 + 0.6 * pitch
    if at[0] <= 1:
        first = -REACH
    if at[-1] >= STEPS - 2:
        last = STEPS + REACH
    full = w + 2 * margin * min(w, h) + 2 * long * w          # extent of the crop that was read
    new_w = full * (last - first) / STEPS
    shift = full * ((first + last) / 2 / STEPS - 0.5)
    trim = 2 * margin * min(new_w, h)
    return x + shift * math.cos(a), y + shift * math.sin(a), max(new_w - trim, h * 0.5), h, a


def variants(box, cls, count):
    """Other guesses of a box whose code was not read well: ends moved out where characters are missing, taller, turned."""
    x, y, w, h, a = box
    u = (math.cos(a), math.sin(a))
    if count < 11 and cls != 3:
        d = w * (11 - min(count, 10)) / max(4, count)
        for left, right in ((d, 0.0), (0.0, d), (d / 2, d / 2)):
            k = (right - left) / 2
            yield x + u[0] * k, y + u[1] * k, w + left + right, h * 1.15, a
    tall = 1.25 if cls == 3 else 1.7
    yield x, y, w * 1.02, h * tall, a
    for da in (0.05, -0.05, 0.10, -0.10):
        yield x, y, w * 1.02, h * (1.15 if cls == 3 else 1.3), a + da
    yield x, y, w, h * 0.85, a
    yield x, y, w * 1.12, h, a


class Nets:
    """The two models in OpenCV DNN."""

    def __init__(self, folder):
        self.detector = cv2.dnn.readNetFromONNX(folder + "/detector.onnx")
        self.reader = cv2.dnn.readNetFromONNX(folder + "/reader.onnx")

    def detect(self, gray, threshold):
        x, k = letterbox(gray)
        self.detector.setInput(x)
        return [(c, s, x / k, y / k, w / k, h / k, a) for c, s, x, y, w, h, a in peaks(self.detector.forward()[0], threshold)]

    def logp(self, crop192, column):
        c = crop192.astype(np.float32)
        x = np.stack([(c - c.mean()) / (c.std() + 4), np.full_like(c, 1.0 if column else 0.0)])[None]
        self.reader.setInput(x)
        return log_softmax(self.reader.forward()[0])

    def code_in(self, gray, box):
        """Best code of one detected box: read, move the ends to where characters begin and end, read again; then variants.
        Returns (code, log p) or None."""
        cls, b = box[0], box[2:]
        best = None

        def attempt(b, margin, long):
            nonlocal best
            logp = self.logp(crop(gray, *b, margin=margin, long=long), cls == 2)
            got = read_code(logp)
            if got and touches(logp, cls):
                got = (got[0], got[1] - CUT)
            if got and (best is None or got[1] > best[1]):
                best = got
            return logp

        for turn in range(4):
            margin, long = (0.12, 0.06) if turn == 0 else (0.12, 0.01)
            logp = attempt(b, margin, long)
            if best and best[1] > SURE:
                return best
            b = follow(logp, cls, b, margin, long)
        if best and best[1] > FAIR:
            return best
        for v in variants(b, cls, len(greedy(logp)[0])):
            attempt(v, 0.12, 0.02)
            if best and best[1] > SURE:
                return best
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
        boxes = [b for b in self.detect(gray, threshold) if b[0] == 0][:most]
        out = []
        for b in boxes:
            results = {}
            for margin, long in ((0.04, 0.0), (0.10, 0.02), (0.12, 0.07)):
                text, score, _ = plates.read(self.logp(crop(gray, *b[2:], margin=margin, long=long), False))
                results[text] = max(results.get(text, -99), score)
            text = max(results, key=results.get)
            if len(text) >= 4:
                out.append((text, results[text] + 2 * math.log(b[1]), b))
        return max(out, key=lambda o: o[1], default=None)
