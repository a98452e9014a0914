"""Plates and ADR panels drawn from grammar, faces and chance."""
import cv2
import numpy as np

from faces import CAP, CELL, PAD, line, weight
from scene import Scene, clouds, put, rounded, speckle, words
from strings import adr_panel, arabic_plate, expand, nonsense, word


def _tones(rng):
    """(background, ink): mostly dark on light, the rest reversed."""
    if rng.random() < 0.86:
        bg = rng.uniform(140, 250)
        return bg, rng.uniform(5, min(90, bg - 70))
    bg = rng.uniform(10, 100)
    return bg, rng.uniform(bg + 80, 255)


def _groups(rng, text):
    """Positions before which a separator stands: at some changes between letters and digits, or anywhere."""
    change = [i for i in range(1, len(text)) if text[i].isdigit() != text[i - 1].isdigit()]
    r = rng.random()
    if r < 0.65:
        return change if rng.random() < 0.7 else change[:1]
    if r < 0.8 and len(text) > 4:
        return [int(rng.integers(2, len(text) - 1))]
    return []


def _mark(rng, img, x, y, w, bg, ink, faces):
    """What stands in a gap and is not read: nothing, hyphen, dot, seal, crest, stacked discs, small letters."""
    r = rng.random()
    cx, cy = x + w / 2, y + CAP / 2
    tone = rng.uniform(0, 255)
    if r < 0.3:
        return
    if r < 0.42:
        half = w * rng.uniform(0.15, 0.3)
        cv2.line(img, (int(cx - half), int(cy)), (int(cx + half), int(cy)), float(ink), int(rng.integers(3, 8)))
    elif r < 0.52:
        cv2.circle(img, (int(cx), int(y + CAP * rng.choice([0.5, 0.92]))), int(rng.integers(2, 6)), float(ink), -1)
    elif r < 0.8:
        n = int(rng.integers(1, 3))
        for k in range(n):
            yy = cy if n == 1 else y + CAP * (0.25 + 0.5 * k)
            rad = int(max(3, min(w * 0.42, CAP * (0.38 if n == 1 else 0.22)) * rng.uniform(0.7, 1)))
            cv2.circle(img, (int(cx), int(yy)), rad, float(tone), -1, cv2.LINE_AA)
            if rng.random() < 0.6:
                cv2.circle(img, (int(cx), int(yy)), max(1, rad - int(rng.integers(1, 4))), float(rng.uniform(0, 255)), int(rng.integers(1, 3)), cv2.LINE_AA)
            if rng.random() < 0.5:
                cv2.line(img, (int(cx - rad / 2), int(yy)), (int(cx + rad / 2), int(yy + rng.normal() * 3)), float(rng.uniform(0, 255)), 2)
    elif r < 0.92:
        hw, hh = max(2, w * 0.35), CAP * rng.uniform(0.2, 0.42)
        pts = np.array([[cx - hw, cy - hh], [cx + hw, cy - hh], [cx + hw, cy + hh * 0.3], [cx, cy + hh], [cx - hw, cy + hh * 0.3]], np.int32)
        cv2.fillPoly(img, [pts], float(tone), cv2.LINE_AA)
        cv2.polylines(img, [pts], True, float(rng.uniform(0, 255)), 2, cv2.LINE_AA)
    else:
        words(rng, faces, img, word(rng)[:2], x + 2, cy, CAP * 0.25, ink)


def _divider(rng, img, faces, code, x, y, w, ink):
    """Between the groups of a southern Mediterranean plate: a thin bar that reaches beyond the characters, or the word Tunis in its
    joined forms (not read)."""
    if code == "TN":
        face = faces.arabic[int(rng.integers(len(faces.arabic)))]
        try:
            mask, _ = line(rng, face, "\ufeb2\ufee7\ufeee\ufe97", 0)
        except ValueError:
            return
        k = min(0.9, w / max(1, mask.shape[1]))
        mask = cv2.resize(mask, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        put(img, mask, x + (w - mask.shape[1]) / 2, y + CAP * rng.uniform(0, 0.4), ink)
    elif w > 8:
        cx = int(x + w / 2)
        cv2.line(img, (cx, int(y - CAP * rng.uniform(0.12, 0.3))), (cx, int(y + CAP * rng.uniform(1.12, 1.3))), float(ink), int(rng.integers(2, 5)))


def _row(rng, faces, face, text, seps, gap, stretch):
    """Mask, spans and the separator places (x, width) of one row."""
    widths = {i: CAP * rng.uniform(0.12, 0.62) * (2.2 if rng.random() < 0.06 else 1) for i in seps}
    mask, spans = line(rng, face, text, gap, stretch=stretch, seps=widths)
    places = []
    for i, w in widths.items():
        if i < len(spans):
            places.append((spans[i][1] - w * stretch, w * stretch))
    return weight(rng, mask), spans, places


def plate(rng, faces, grammar, kind, alef=0.0):
    """A plate scene; kind: eu, us, br, arabic, two (two lines), trailer (two lines, nothing but what is issued). Context is drawn
    around the plate too. `alef`: see `arabic_plate`."""
    face = faces.pick_mixed(rng) if kind == "arabic" else faces.pick(rng)
    group = {"us": "US", "br": "BR"}.get(kind, "EU")
    code, text = grammar.sample(rng, group)
    dividers = None
    if kind == "arabic":
        code, marked = arabic_plate(rng, alef)
        text = marked.replace("|", "")
        dividers = [marked[:i].replace("|", "") for i, ch in enumerate(marked) if ch == "|"]
        dividers = [len(d) for d in dividers]
    if kind == "trailer":
        code, text = grammar.issued(rng)
    if kind not in ("arabic", "trailer") and rng.random() < (0.14 if kind == "us" else 0.08):
        text = nonsense(rng, 4, 8)
    rows = [text]
    if kind in ("two", "trailer"):
        if kind == "two" and rng.random() < 0.25:
            text = expand(rng, ["LLLDDDD", "LLDDDDLL", "LLDDDDD", "LLDDD", "LDDDDD", "DDDDDD"][int(rng.integers(6))])
        cut = [i for i in range(2, len(text) - 1) if text[i].isdigit() != text[i - 1].isdigit()] or [len(text) // 2]
        at = int(cut[int(rng.integers(len(cut)))])
        rows = [text[:at], text[at:]]
    bg, ink = _tones(rng)
    stretch = float(np.exp(rng.normal() * 0.12)) * (0.85 if kind == "us" else 1.0)
    gap = CAP * rng.uniform(0.04, 0.24)
    drawn = []
    for row in rows:
        s = stretch * float(np.exp(rng.normal() * 0.08)) if len(rows) > 1 else stretch
        drawn.append(_row(rng, faces, face, row, _groups(rng, row) if dividers is None else dividers, gap, s))
    text_w = max(m.shape[1] for m, _, _ in drawn)
    row_gap = CAP * rng.uniform(0.08, 0.35)
    side = CAP * rng.uniform(0.08, 0.6)
    band = CAP * rng.uniform(0.4, 0.72) if rng.random() < {"eu": 0.7, "two": 0.45, "trailer": 0.45}.get(kind, 0.05) else 0
    band_r = CAP * rng.uniform(0.3, 0.6) if band and rng.random() < 0.2 else 0
    header = CAP * rng.uniform(0.2, 0.6) if (kind in ("us", "br") or code == "EG") and rng.random() < 0.85 else CAP * rng.uniform(0.08, 0.35)
    footer = CAP * rng.uniform(0.15, 0.5) if kind == "us" and rng.random() < 0.6 else CAP * rng.uniform(0.08, 0.35)
    pw, ph = int(band + band_r + 2 * side + text_w), int(header + footer + len(rows) * CAP + (len(rows) - 1) * row_gap)
    mx, my = int(CAP * rng.uniform(0.4, 0.9)), int(CAP * rng.uniform(0.4, 0.9))
    W, H = pw + 2 * mx, ph + 2 * my
    img = np.full((H, W), rng.uniform(5, 230), np.float32)
    img += clouds(rng, H, W) * rng.uniform(0, 60)
    if rng.random() < 0.5:                       # bumper edges
        for _ in range(int(rng.integers(1, 4))):
            y = int(rng.integers(0, H))
            cv2.line(img, (0, y), (W, y + int(rng.normal() * 3)), float(rng.uniform(0, 255)), int(rng.integers(1, 7)))
    body = np.zeros((H, W), np.uint8)
    radius = int(CAP * rng.uniform(0, 0.18))
    if rng.random() < 0.5:                       # holder
        g = int(CAP * rng.uniform(0.03, 0.16))
        low = int(CAP * rng.uniform(0.1, 0.35)) if rng.random() < 0.4 else g
        tone = rng.uniform(5, 120) if rng.random() < 0.8 else rng.uniform(120, 250)
        rounded(body, mx - g, my - g, mx + pw + g, my + ph + low, radius)
        put(img, body, 0, 0, tone)
        if low > g + 4 and rng.random() < 0.8:
            words(rng, faces, img, word(rng) + " " + word(rng)[:5], mx + pw * rng.uniform(0.1, 0.4), my + ph + 2, low * 0.6, 255 - tone)
        body[:] = 0
    rounded(body, mx, my, mx + pw, my + ph, radius)
    put(img, body, 0, 0, bg)
    x = mx
    if kind == "us" and rng.random() < 0.5:      # background art
        art = clouds(rng, ph, pw, 6) * rng.uniform(8, 45)
        img[my:my + ph, mx:mx + pw] += art
    if rng.random() < 0.75:                      # rim
        cv2.rectangle(img, (mx + 2, my + 2), (mx + pw - 2, my + ph - 2), float(ink if rng.random() < 0.6 else rng.uniform(0, 255)), int(rng.integers(1, 4)))
    if band:
        tone = rng.uniform(20, 110) if rng.random() < 0.85 else rng.uniform(0, 255)
        for x0, bw in ((mx, band), (mx + pw - band_r, band_r)):
            if bw:
                img[my:my + ph, int(x0):int(x0 + bw)] = tone
                light = 255 - tone * 0.5
                for _ in range(int(rng.integers(0, 12))):
                    cv2.circle(img, (int(x0 + bw * rng.uniform(0.2, 0.8)), int(my + ph * rng.uniform(0.1, 0.55))), 1, float(light), -1)
                words(rng, faces, img, (code if rng.random() < 0.7 else word(rng))[:2 if rng.random() < 0.6 else 1], x0 + bw * 0.2, my + ph * 0.62, CAP * 0.24, light)
    x = mx + band + side
    y = my + header
    chars, boxes = [], []
    for k, (mask, spans, places) in enumerate(drawn):
        rx = x + (text_w - mask.shape[1]) / 2 * (rng.choice([0, 1, 1, 1]) if len(rows) > 1 else 1)
        if rng.random() < 0.25:                  # relief
            put(img, mask, rx + rng.uniform(-2, 2), y - PAD + rng.uniform(1, 3), 255 if ink < bg else 0, 0.6)
        put(img, mask, rx, y - PAD, ink)
        for px, w in places:
            if dividers is not None and rng.random() < 0.7:
                _divider(rng, img, faces, code, rx + px, y, w, ink)
            elif code != "EG":                   # a dot there would be a zero
                _mark(rng, img, rx + px, y, w, bg, ink, faces)
        for ch, a, b in spans:
            chars.append((ch, k, rx + (a + b) / 2, y + CAP / 2))
        boxes.append((rx, y, rx + mask.shape[1], y + CAP))
        y += CAP + row_gap
    if header > CAP * 0.25 and kind in ("us", "br"):
        t = word(rng) if rng.random() < 0.8 else "BRASIL"
        if kind == "br" and rng.random() < 0.4:
            img[my:my + int(header * 0.85), mx:mx + pw] = rng.uniform(20, 110)
            words(rng, faces, img, t, mx + pw * 0.35, my + header * 0.15, header * 0.5, 230)
        else:
            words(rng, faces, img, t, mx + pw * rng.uniform(0.1, 0.5), my + header * 0.15, header * rng.uniform(0.4, 0.7), ink if rng.random() < 0.6 else rng.uniform(0, 255))
    if footer > CAP * 0.25 and rng.random() < 0.8 and kind == "us":
        words(rng, faces, img, word(rng) + " " + word(rng), mx + pw * rng.uniform(0.1, 0.35), my + ph - footer * 0.85, footer * rng.uniform(0.35, 0.6), ink)
    if rng.random() < 0.5:                       # bolts
        tone = rng.uniform(0, 255)
        for bx in (rng.uniform(0.06, 0.25), 1 - rng.uniform(0.06, 0.25)):
            cv2.circle(img, (int(mx + pw * bx), int(my + (header * 0.5 if rng.random() < 0.7 else ph - footer * 0.5))), int(rng.integers(2, 6)), float(tone), -1)
    if rng.random() < (0.4 if kind == "us" else 0.08):     # corner stickers
        for _ in range(int(rng.integers(1, 3))):
            sx, sy = mx + (pw * 0.88 if rng.random() < 0.5 else 2), my + (2 if rng.random() < 0.5 else ph - header)
            img[int(sy):int(sy + header * 0.8), int(sx):int(sx + CAP * 0.4)] = rng.uniform(0, 255)
    if rng.random() < 0.3:
        speckle(rng, img, rng.uniform(0, 0.7), rng.uniform(20, 140))
    tb = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    return Scene(img, chars, (mx, my, mx + pw, my + ph), tb, CAP, "plate", extra=[kind])


def adr(rng, faces):
    """Orange panel, Kemler above UN number."""
    face = faces.pick(rng)
    rows = list(adr_panel(rng))
    bg, ink = rng.uniform(110, 190), rng.uniform(5, 50)
    gap = CAP * rng.uniform(0.1, 0.35)
    drawn = [line(rng, face, r, gap, stretch=rng.uniform(0.9, 1.4)) for r in rows]
    tw = max(m.shape[1] for m, _ in drawn)
    pad = CAP * rng.uniform(0.15, 0.5)
    pw, ph = int(tw + 2 * pad * rng.uniform(1, 2)), int(2 * CAP + 4 * pad)
    m = int(CAP * rng.uniform(0.3, 0.8))
    img = np.full((ph + 2 * m, pw + 2 * m), rng.uniform(10, 230), np.float32)
    img += clouds(rng, *img.shape) * rng.uniform(0, 50)
    img[m:m + ph, m:m + pw] = bg
    cv2.rectangle(img, (m, m), (m + pw, m + ph), float(ink), int(rng.integers(3, 8)))
    cv2.line(img, (m, m + ph // 2), (m + pw, m + ph // 2), float(ink), int(rng.integers(3, 8)))
    chars, boxes = [], []
    for k, (mask, spans) in enumerate(drawn):
        x, y = m + (pw - mask.shape[1]) / 2, m + pad + k * (CAP + 2 * pad)
        put(img, mask, x, y - PAD, ink)
        chars += [(ch, k, x + (a + b) / 2, y + CAP / 2) for ch, a, b in spans]
        boxes.append((x, y, x + mask.shape[1], y + CAP))
    tb = (min(b[0] for b in boxes), boxes[0][1], max(b[2] for b in boxes), boxes[1][3])
    return Scene(img, chars, (m, m, m + pw, m + ph), tb, CAP, "adr")
