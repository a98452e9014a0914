"""Letter faces for rendering: Debian fonts and faces drawn from our own polyline skeletons.

Every face yields glyph masks of one cell height (`CELL` rows, capitals from row `PAD` to the baseline at `PAD + CAP`), cropped
tight in width. Nothing here reads a picture of a real plate or container.
"""
import glob
import math
import os

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAD, CAP, BELOW = 3, 42, 11          # rows above the capitals, of the capitals, below the baseline (a J or Q may hang down)
CELL = PAD + CAP + BELOW
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ARABIC_DIGITS, ARABIC_LETTERS = "٠١٢٣٤٥٦٧٨٩", "ابجدرسصطعفقلمنهوي"
READABLE = ALPHABET + ARABIC_DIGITS + ARABIC_LETTERS      # the reader's classes 1..63, in this order (models.toml: alphabet)
ARABIC_FONTS = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSansCondensed", "DejaVuSansCondensed-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold", "FreeMono",
                "FreeSerifBold", "NotoKufiArabic-Bold", "NotoKufiArabic-Regular", "NotoNaskhArabic-Bold", "NotoNaskhArabic-Regular",
                "NotoSansArabic-Bold", "NotoSansArabic-Regular"]
FONT_ROOTS = ["/usr/share/fonts"]
# Families whose shapes resemble plate, stencil and container lettering; others would only add noise.
FONT_WORDS = ["din", "bebas", "roboto", "nationalpark", "national-park", "routed", "opensans", "open-sans", "tuffy", "liberation",
              "dejavu", "lato", "ocr", "inter", "notosans", "cantarell", "freesans", "freemono", "hack", "jetbrains", "plex",
              "firacode", "fira", "nimbussans", "nimbusmono", "urw", "cabin", "oxygen", "arimo", "cousine", "exo", "play", "junction",
              "league", "quicksand", "comfortaa", "andika"]
FONT_NOT = ["italic", "oblique", "symbol", "serif", "math", "slanted", "emoji", "arabic", "hebrew", "thai", "icon", "condensed-thin", "thin",
            "hairline", "extralight", "ultralight", "tinos", "caslon", "bookman", "gothic-ps", "c059", "p052", "dingbats", "z003", "slab",
            "d050000l", "ocrbe", "ocrbx", "ocrbf", "outline"]      # pictures, letters cut out of blocks, bare outlines


def font_files():
    """Paths of the usable font files, sorted, so that a seed means the same faces on one machine."""
    out = []
    for root in FONT_ROOTS:
        for path in glob.glob(root + "/**/*.[to]tf", recursive=True):
            name = os.path.basename(path).lower()
            full = path.lower()
            if any(w in full for w in FONT_NOT):
                continue
            if "noto" in full and not name.startswith(("notosans-", "notosansmono-", "notosansdisplay-")):
                continue
            if any(w in full for w in FONT_WORDS):
                out.append(path)
    return sorted(out)


def _tight(mask):
    cols = np.flatnonzero(mask.max(axis=0) > 40)
    if cols.size == 0:
        return None
    return np.ascontiguousarray(mask[:, cols[0]:cols[-1] + 1])


class FontFace:
    """One font file; glyphs are rendered once and kept."""

    def __init__(self, path):
        self.path = path
        probe = ImageFont.truetype(path, 200)
        top, bottom = probe.getbbox("H", anchor="ls")[1], probe.getbbox("H", anchor="ls")[3]
        cap = bottom - top
        zero = probe.getbbox("0", anchor="ls")
        if cap < 60 or not 0.88 < (zero[3] - zero[1]) / cap < 1.15:
            raise ValueError("not a lining capital face")
        self.font = ImageFont.truetype(path, max(8, round(200 * CAP / cap)))
        self.glyphs = {}
        seen = set()
        for ch in "0123456789ABEMWQ":
            seen.add(self.glyph(ch).tobytes())
        if len(seen) < 15:
            raise ValueError("glyphs missing")

    def glyph(self, ch):
        got = self.glyphs.get(ch)
        if got is None:
            image = Image.new("L", (3 * CELL, CELL), 0)
            ImageDraw.Draw(image).text((CELL, PAD + CAP), ch, font=self.font, fill=255, anchor="ls")
            got = _tight(np.asarray(image))
            if got is None:
                raise ValueError(f"{self.path}: no glyph for {ch!r}")
            self.glyphs[ch] = got
        return got

    def has(self, ch):
        return True


class ArabicFace:
    """Isolated Arabic letters and Arabic-Indic digits of one font; 1 as high as a capital, nothing outside the cell."""

    def __init__(self, path):
        probe = ImageFont.truetype(path, 200).getbbox("١", anchor="ls")
        height = probe[3] - probe[1]
        if height < 60:
            raise ValueError("no Arabic-Indic digits")
        self.font = ImageFont.truetype(path, max(8, round(200 * CAP / height)))
        self.glyphs = {}
        if len({self.glyph(c).tobytes() for c in ARABIC_DIGITS + ARABIC_LETTERS}) < 27:
            raise ValueError("glyphs missing")

    def glyph(self, ch):
        got = self.glyphs.get(ch)
        if got is None:
            image = Image.new("L", (6 * CELL, 4 * CELL), 0)
            ImageDraw.Draw(image).text((2 * CELL, 2 * CELL), ch, font=self.font, fill=255, anchor="ls")
            mask = np.asarray(image)
            rows = np.flatnonzero(mask.max(axis=1) > 40)
            if rows.size == 0:
                raise ValueError(f"no glyph for {ch!r}")
            top, bottom = int(rows[0]), int(rows[-1]) + 1
            base = 2 * CELL - PAD - CAP                   # this row of the big picture is row 0 of the cell
            if bottom - top > CELL - 2:                   # a tall letter: scaled down into the cell
                k = (CELL - 2) / (bottom - top)
                mask = cv2.resize(mask[top:bottom], None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
                mask = np.vstack([np.zeros((1, mask.shape[1]), np.uint8), mask])[:CELL]
                mask = np.vstack([mask, np.zeros((CELL - mask.shape[0], mask.shape[1]), np.uint8)])
            else:
                base = min(max(base, bottom - CELL + 1), top - 1)
                mask = mask[base:base + CELL]
            got = _tight(mask)
            self.glyphs[ch] = got
        return got


class MixedFace:
    """Latin characters from one face, Arabic ones from another."""

    def __init__(self, latin, arabic):
        self.latin, self.arabic = latin, arabic

    def glyph(self, ch):
        return self.latin.glyph(ch) if ch in ALPHABET else self.arabic.glyph(ch)


def _arc(x0, y0, x1, y1, a0, a1, n, octagon):
    """Points of a super-ellipse in the box from angle a0 to a1 (degrees, clockwise on screen, 0 = right)."""
    cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    if octagon:
        lo, hi = min(a0, a1), max(a0, a1)
        angles = [a for base in range(-360, 721, 90) for a in (base + octagon, base + 90 - octagon) if lo < a < hi]
        angles = [lo] + sorted(angles) + [hi]
        if a1 < a0:
            angles.reverse()
        n = 9.0
    else:
        count = max(5, int(abs(a1 - a0) / 12))
        angles = [a0 + (a1 - a0) * i / count for i in range(count + 1)]
    out = []
    for a in angles:
        c, s = math.cos(math.radians(a)), math.sin(math.radians(a))
        if octagon:
            m = max(abs(c), abs(s))
            out.append((cx + rx * c / m, cy + ry * s / m))
        else:
            out.append((cx + rx * math.copysign(abs(c) ** (2 / n), c), cy + ry * math.copysign(abs(s) ** (2 / n), s)))
    return out


def skeleton(ch, p):
    """Polylines of one character in the unit box (x right, y down). `p` holds the face's form parameters."""
    n, o = p["n"], p["oct"]

    def arc(x0, y0, x1, y1, a0, a1):
        return _arc(x0, y0, x1, y1, a0, a1, n, o)

    mid = p["mid"]
    if ch in "0O":
        d = 0.0 if ch == "O" or not p["zero_narrow"] else 0.06
        lines = [arc(d, 0, 1 - d, 1, -90, 270)]
        if ch == "0" and p["slash"]:
            lines.append([(0.3, 0.68), (0.7, 0.32)])
        return lines
    if ch == "1":
        f = p["one"]
        if f == 0:
            return [[(0.15, 0.24), (0.6, 0), (0.6, 1)]]
        if f == 1:
            return [[(0.1, 0.22), (0.5, 0), (0.5, 1)], [(0.05, 1), (0.95, 1)]]
        if f == 2:
            return [[(0.5, 0), (0.5, 1)]]
        return [[(0.2, 0.08), (0.6, 0.0), (0.6, 1)]]
    if ch == "2":
        k = p["two"]
        return [arc(0, 0, 1, 0.58, 190, 360 + 20) + [(0.05 if k else 0.0, 1), (1, 1)]] if k != 2 else \
            [arc(0, 0, 1, 0.56, 200, 360) + [(0.93, 0.42), (0, 0.85), (0, 1), (1, 1)]]
    if ch == "3":
        if p["three"]:
            return [[(0.05, 0), (0.95, 0), (0.45, 0.4)] + arc(-0.1, 0.4, 1, 1, -80, 160)]
        return [arc(0, 0, 0.95, 0.5, 200, 450) , arc(-0.02, 0.48, 1, 1, -90, 165)]
    if ch == "4":
        x = p["four_x"]
        if p["four"] == 0:
            return [[(x, 1), (x, 0), (0, p["four_y"]), (1, p["four_y"])]]
        if p["four"] == 1:
            return [[(x - 0.25, 0), (0, p["four_y"]), (1, p["four_y"])], [(x, 0.38), (x, 1)]]
        return [[(0.15, 0), (0.05, p["four_y"]), (1, p["four_y"])], [(x, 0.2), (x, 1)]]
    if ch == "5":
        return [[(0.93, 0), (0.1, 0), (0.04, 0.46)] + arc(-0.05, 0.36, 1, 1, -125, 160)]
    if ch == "6" or ch == "9":
        if p["six"] == 0:
            lines = [arc(0, 0, 1, 0.9, -25, -180) + [(0, 0.7)] , arc(0, 0.4, 1, 1, 0, 360)]
        elif p["six"] == 1:
            lines = [[(0.7, 0), (0.04, 0.6)], arc(0, 0.38, 1, 1, 0, 360)]
        else:
            lines = [arc(0, 0, 1.1, 1.2, -70, -180) + [(0, 0.7)], arc(0, 0.42, 1, 1, 0, 360)]
        return lines if ch == "6" else [[(1 - x, 1 - y) for x, y in q] for q in lines]
    if ch == "7":
        return [[(0, 0), (1, 0), (p["seven"], 1)]] if p["seven_c"] == 0 else \
            ([[(0, 0), (1, 0), (0.55, 0.45), (p["seven"], 1)]] if p["seven_c"] == 1 else [[(0, 0.12), (0, 0), (1, 0), (p["seven"], 1)]])
    if ch == "8":
        return [arc(0.05, 0, 0.95, mid, -90, 270), arc(0, mid, 1, 1, -90, 270)]
    if ch == "A":
        if p["a"] == 0:
            return [[(0, 1), (0.5, 0), (1, 1)], [(0.16, 0.69), (0.84, 0.69)]]
        if p["a"] == 1:
            return [[(0, 1), (0.36, 0), (0.64, 0), (1, 1)], [(0.14, 0.68), (0.86, 0.68)]]
        return [[(0, 1)] + arc(0, 0, 1, 0.9, 180, 360) + [(1, 1)], [(0, 0.62), (1, 0.62)]]
    if ch == "B":
        return [[(0, 0), (0, 1)], [(0, 0)] + arc(-0.4, 0, 0.94, mid, -90, 90) + [(0, mid)], [(0, mid)] + arc(-0.4, mid, 1, 1, -90, 90) + [(0, 1)]]
    if ch == "C":
        return [arc(0, 0, 1, 1, -p["c_open"], -360 + p["c_open"])]
    if ch == "D":
        return [[(0, 0), (0, 1)], [(0, 0)] + arc(-0.7, 0, 1, 1, -90, 90) + [(0, 1)]]
    if ch == "E":
        return [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, mid), (p["e_mid"], mid)]]
    if ch == "F":
        return [[(1, 0), (0, 0), (0, 1)], [(0, mid), (p["e_mid"], mid)]]
    if ch == "G":
        if p["g"] == 0:
            return [arc(0, 0, 1, 1, -p["c_open"], -360) + [(1, 0.55), (0.55, 0.55)]]
        if p["g"] == 1:
            return [arc(0, 0, 1, 1, -p["c_open"], -350) + [(1, 0.55), (0.6, 0.55)], [(1, 0.55), (1, 1)]]
        if p["g"] == 2:
            return [arc(0, 0, 1, 1, -p["c_open"], -330), [(0.55, 0.6), (1, 0.6), (1, 0.85)]]
        curve = arc(0, 0, 1, 1, -p["c_open"], p["g_up"] - 360)         # the bar stands low, where the curve ends
        return [curve + [(p["g_in"], curve[-1][1])]]
    if ch == "H":
        return [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, mid), (1, mid)]]
    if ch == "I":
        return [[(0.5, 0), (0.5, 1)]] + ([[(0.1, 0), (0.9, 0)], [(0.1, 1), (0.9, 1)]] if p["i_serif"] else [])
    if ch == "J":
        head = [[(0.4, 0), (1, 0)]] if p["j"] == 1 else []
        return [[(1, 0), (1, 0.6)] + arc(0, 0.4, 1, 1, 0, 165 if p["j"] < 2 else 120)] + head
    if ch == "K":
        return [[(0, 0), (0, 1)], [(1, 0), (0.05, p["k"])], [(0.3, p["k"] - 0.15), (1, 1)]]
    if ch == "L":
        return [[(0, 0), (0, 1), (1, 1)]]
    if ch == "M":
        return [[(0, 1), (0, 0), (0.5, p["m_depth"]), (1, 0), (1, 1)]]
    if ch == "N":
        return [[(0, 1), (0, 0), (1, 1), (1, 0)]]
    if ch == "P":
        return [[(0, 0), (0, 1)], [(0, 0)] + arc(-0.5, 0, 1, p["p"], -90, 90) + [(0, p["p"])]]
    if ch == "Q":
        tail = [[(0.55, 0.72), (1.0, 1.03)], [(0.6, 0.8), (0.95, 1.08)], [(0.5, 0.85), (0.5, 1.05), (0.8, 1.06)]][p["q"]]
        return [arc(0, 0, 1, 1, -90, 270), tail]
    if ch == "R":
        return [[(0, 0), (0, 1)], [(0, 0)] + arc(-0.5, 0, 1, p["p"], -90, 90) + [(0, p["p"])], [(0.45, p["p"]), (1, 1)]]
    if ch == "S":
        if p["s"]:
            return [arc(0, 0, 1, mid, -15, -180) + arc(0, 0, 1, mid, 180, 150)[1:] + [(0.5, mid), (0.88, mid + 0.1)] + arc(0, mid, 1, 1, -20, 165)]
        return [arc(0, 0, 1, mid, -20, -270) + arc(0, mid, 1, 1, -90, 160)]
    if ch == "T":
        return [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]]
    if ch == "U":
        return [[(0, 0), (0, 0.6)] + arc(0, 0.3, 1, 1, 180, 0) + [(1, 0)]]
    if ch == "V":
        return [[(0, 0), (0.5, 1), (1, 0)]] if not p["flat_v"] else [[(0, 0), (0.42, 1), (0.58, 1), (1, 0)]]
    if ch == "W":
        w = p["w_in"]
        return [[(0, 0), (w, 1), (0.5, p["w_depth"]), (1 - w, 1), (1, 0)]]
    if ch == "X":
        return [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]
    if ch == "Y":
        return [[(0, 0), (0.5, p["y"]), (1, 0)], [(0.5, p["y"]), (0.5, 1)]]
    if ch == "Z":
        return [[(0, 0), (1, 0), (0, 1), (1, 1)]]
    return []


# Most of a letter's width that one stroke takes, and the least width of letters of three or four strokes, in strokes.
MOST_STROKE, LEAST_STROKES = 0.27, {"M": 4.4, "W": 4.4, "N": 3.4}


class DrawnFace:
    """A monoline face from the skeletons above; all of its form comes from the random generator."""

    def __init__(self, rng):
        u = rng.uniform
        self.stroke = u(0.09, 0.21)
        self.width = u(0.36, 0.85)
        self.stroke = min(self.stroke, self.width * MOST_STROKE)      # lettering that is issued keeps its counters open
        self.mono = rng.random() < 0.5
        self.pen = u(0, 1) if rng.random() < 0.6 else 0.0
        self.p = dict(n=float(np.exp(u(math.log(1.9), math.log(7)))), oct=float(u(14, 32)) if rng.random() < 0.15 else 0,
                      mid=u(0.44, 0.53), zero_narrow=rng.random() < 0.4, slash=rng.random() < 0.03, one=int(rng.integers(4)), two=int(rng.integers(3)),
                      three=rng.random() < 0.35, four=int(rng.choice([0, 0, 0, 1, 2])), four_x=u(0.6, 1.0), four_y=u(0.6, 0.8),
                      six=int(rng.integers(3)), seven=u(0.15, 0.5), seven_c=int(rng.choice([0, 0, 1, 2])), a=int(rng.choice([0, 0, 1, 1, 2])),
                      c_open=u(20, 48), e_mid=u(0.7, 1.0), g=int(rng.integers(4)), g_up=u(0, 40), g_in=u(0.45, 0.68), i_serif=rng.random() < 0.3, j=int(rng.integers(3)),
                      k=u(0.55, 0.7), m_depth=u(0.35, 1.0), p=u(0.48, 0.62), q=int(rng.integers(3)), s=rng.random() < 0.5,
                      flat_v=rng.random() < 0.3, w_in=u(0.18, 0.3), w_depth=u(0.0, 0.65), y=u(0.4, 0.6))
        self.wide = u(1.05, 1.35)
        self.narrow_i = u(0.3, 0.6)
        self.glyphs = {}

    def has(self, ch):
        return ch in ALPHABET

    def glyph(self, ch):
        got = self.glyphs.get(ch)
        if got is not None:
            return got
        stroke = max(4, self.stroke * CAP)
        width = self.width * CAP
        if not self.mono:
            width *= self.wide if ch in "MW" else 1.0
        if ch == "I" and not self.p["i_serif"]:
            width = stroke + 2
        elif ch == "1" and self.p["one"] == 2:
            width = stroke + 2
        elif ch == "1":
            width *= 0.75 if not self.mono else 0.9
        elif ch in "IJLEF" and not self.mono:
            width *= 0.9
        width = max(width, stroke + 2, LEAST_STROKES.get(ch, 0) * stroke)
        inset = stroke / 2
        pad = 12
        mask = np.zeros((CELL, int(width) + 2 * pad), np.uint8)
        thick = max(1, int(round(stroke * (1 - 0.6 * self.pen))))
        for line in skeleton(ch, self.p):
            pts = np.array([[pad + inset + x * (width - stroke), PAD + inset + y * (CAP - stroke)] for x, y in line])
            cv2.polylines(mask, [np.round(pts * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
        grow = int(round(stroke)) - thick
        if grow > 0:
            mask = cv2.dilate(mask, np.ones((grow + 1, grow + 1), np.uint8))
        got = _tight(mask)
        self.glyphs[ch] = got
        return got


class Faces:
    """The pool of faces: `pick` gives a font or a drawn face."""

    def __init__(self, rng, drawn=250, drawn_share=0.5):
        self.fonts, self.drawn_share = [], drawn_share
        for path in font_files():
            try:
                self.fonts.append(FontFace(path))
            except (OSError, ValueError):
                continue
        if not self.fonts:
            raise RuntimeError("no usable font under /usr/share/fonts: install the packages named in training/DATA.md")
        self.drawn = [DrawnFace(rng) for _ in range(drawn)]
        self.arabic = []
        for root in FONT_ROOTS:
            for path in sorted(glob.glob(root + "/**/*.[to]tf", recursive=True)):
                if os.path.splitext(os.path.basename(path))[0] in ARABIC_FONTS:
                    try:
                        self.arabic.append(ArabicFace(path))
                    except (OSError, ValueError):
                        continue

    def pick(self, rng):
        if rng.random() < self.drawn_share:
            if rng.random() < 0.02:
                self.drawn[int(rng.integers(len(self.drawn)))] = DrawnFace(rng)
            return self.drawn[int(rng.integers(len(self.drawn)))]
        return self.fonts[int(rng.integers(len(self.fonts)))]

    def pick_mixed(self, rng):
        """A face that also has Arabic letters and digits."""
        return MixedFace(self.pick(rng), self.arabic[int(rng.integers(len(self.arabic)))])

    def pick_font(self, rng):
        return self.fonts[int(rng.integers(len(self.fonts)))]


def line(rng, face, text, gap, jitter=0.0, stretch=1.0, seps=None):
    """Mask of one line of text at cell height. `gap` and separators are in pixels of the cell; a space is half a cap.

    Returns (mask, [(character, x0, x1)]) without spaces. `seps` maps a position in the text to a width left free before it.
    """
    parts, spans, x = [], [], 0.0
    for i, ch in enumerate(text):
        if seps and i in seps:
            x += seps[i]
        if ch == " ":
            x += 0.35 * CAP
            continue
        glyph = face.glyph(ch)
        w = glyph.shape[1]
        parts.append((int(x), glyph))
        spans.append((ch, int(x), int(x) + w))
        x += w + gap + (rng.normal() * jitter if jitter else 0)
    width = max(1, spans[-1][2] if spans else 1)
    mask = np.zeros((CELL, width), np.uint8)
    for x0, glyph in parts:
        x0 = max(0, x0)
        part = mask[:, x0:x0 + glyph.shape[1]]
        np.maximum(part, glyph[:, :part.shape[1]], out=part)
    if stretch != 1.0:
        mask = cv2.resize(mask, (max(1, int(width * stretch)), CELL), interpolation=cv2.INTER_LINEAR)
        k = mask.shape[1] / width
        spans = [(c, a * k, b * k) for c, a, b in spans]
    return mask, spans


def weight(rng, mask):
    """Thinner or fatter strokes."""
    r = rng.random()
    if r < 0.2:
        return cv2.erode(mask, np.ones((2, 3), np.uint8))
    if r < 0.45:
        return cv2.dilate(mask, np.ones((2, 2) if r < 0.35 else (3, 3), np.uint8))
    return mask
