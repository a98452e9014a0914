"""Container codes on steel: one-line, with type row, stack, column; corrugation, seams, rust, neighbours."""
from dataclasses import dataclass

import cv2
import numpy as np

from faces import CAP, CELL, PAD, line, weight
from scene import Scene, clouds, put, speckle, words
from strings import container_code, notice, type_code


@dataclass
class Layout:
    """Masks (mask, x, y), code box, box of the check digit, (height, width) and kind of a code not yet painted;
    `type_box`: where a size-type code stands in a row, `type_text` what it says."""
    masks: list
    box: tuple
    boxed: tuple | None
    size: tuple
    kind: str
    text: str = ""
    type_box: tuple | None = None
    type_chars: tuple = ()

    @property
    def type_text(self):
        return "".join(c[0] for c in self.type_chars)


def corrugation(rng, h, w, period=None):
    """Shading of vertical ribs, -1..1, and the ribs' phase function (for wobble)."""
    period = period or CAP * float(np.exp(rng.uniform(np.log(0.7), np.log(5))))
    x = (np.arange(w) + rng.uniform(0, period)) / period * 2 * np.pi
    wave = np.clip(np.sin(x) * rng.uniform(1.0, 3.0), -1, 1)
    slope = np.gradient(wave)
    slope /= max(1e-6, np.abs(slope).max())
    shade = rng.uniform(0.2, 1) * slope * rng.choice([-1, 1]) + rng.uniform(0, 0.7) * wave
    return shade.astype(np.float32), wave.astype(np.float32)


def stencil(mask, spans, rng):
    """Cut the bridges of a stencil: thin gaps through the characters."""
    out = mask.copy()
    w = int(rng.integers(2, 5))
    mode = rng.random()
    for _, a, b in spans:
        if mode < 0.6:
            c = int((a + b) / 2 + rng.normal() * 1.5)
            out[:, c - w // 2:c - w // 2 + w] = 0
        else:
            c = int(PAD + CAP * rng.uniform(0.4, 0.6))
            out[c:c + w, int(a):int(b)] = 0
    return out


def steel(rng, h, w, smooth=False):
    """A painted, ribbed or flat wall; `smooth`: curtains and panels, shallow waves at most. Returns (picture, wave or None)."""
    tone = rng.uniform(20, 235)
    img = np.full((h, w), tone, np.float32)
    img += clouds(rng, h, w) * rng.uniform(0, 30)
    wave = None
    if rng.random() < 0.6:
        shade, wave = corrugation(rng, h, w)
        img += shade[None, :] * rng.uniform(4, 14 if smooth else 45)
    return img, wave


def _ink(rng, tone):
    if tone < 130:
        return rng.uniform(max(tone + 55, 120), 255) if rng.random() < 0.93 else rng.uniform(0, max(1, tone - 40))
    return rng.uniform(0, tone - 75) if rng.random() < 0.6 or tone > 190 else rng.uniform(min(250, tone + 35), 255)


def _clutter(rng, faces, img, keep, ink):
    """Text columns, door bars, steps, rivets outside the kept box (or thinly across it)."""
    h, w = img.shape
    x0, y0, x1, y1 = keep
    for _ in range(int(rng.integers(0, 4))):
        th = CAP * rng.uniform(0.2, 0.8)
        side = int(rng.integers(4))
        tx = {0: rng.uniform(0, w), 1: rng.uniform(0, w), 2: x1 + CAP * 0.3, 3: rng.uniform(-CAP * 2, x0 - CAP * 2)}[side]
        ty = {0: y1 + CAP * rng.uniform(0.25, 1), 1: y0 - th - CAP * rng.uniform(0.25, 1), 2: rng.uniform(0, h), 3: rng.uniform(0, h)}[side]
        if side == 3:
            continue
        words(rng, faces, img, notice(rng), tx, ty, th, ink if rng.random() < 0.6 else rng.uniform(0, 255), rng.uniform(0.4, 1), vertical=rng.random() < 0.15)
    if rng.random() < 0.3:                       # door bar, frame post, seam, shadow edge beside the code
        for _ in range(int(rng.integers(1, 3))):
            bw = int(CAP * rng.uniform(0.05, 0.7))
            bx = int(x0 - bw - rng.uniform(0.1, 1.5) * CAP) if rng.random() < 0.5 else int(x1 + rng.uniform(0.1, 1.5) * CAP)
            lo, hi = max(0, bx), max(0, bx + bw)
            img[:, lo:hi] += rng.uniform(-90, 90)
            if bw > 6 and hi - lo > 4:
                img[:, lo + 1:lo + 3] += rng.uniform(-60, 60)
    if rng.random() < 0.25:
        y = int(y0 - rng.uniform(0.2, 1.0) * CAP) if rng.random() < 0.5 else int(y1 + rng.uniform(0.2, 1.0) * CAP)
        cv2.line(img, (0, y), (w, y + int(rng.normal() * 4)), float(rng.uniform(0, 255)), int(rng.integers(1, 12)))


def _rivets(rng, img):
    if rng.random() < 0.15:
        h, w = img.shape
        step = CAP * rng.uniform(0.4, 1.5)
        y = int(rng.uniform(0, h))
        for x in np.arange(0, w, step):
            cv2.circle(img, (int(x), y), int(rng.integers(2, 5)), float(rng.uniform(0, 255)), -1)


def _wobble(rng, img, wave, amount):
    h, w = img.shape
    dx = (wave * amount)[None, :].repeat(h, 0)
    xs = np.arange(w, dtype=np.float32)[None, :] + dx
    ys = np.arange(h, dtype=np.float32)[:, None].repeat(w, 1)
    return cv2.remap(img, xs.astype(np.float32), ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _finish(rng, faces, masks, chars, box, size, cap_scale=1.0, boxed=None, kind="", vertical=False, over=None, raw=False, type_box=None, type_chars=(), text_box=None, smooth=False):
    """Paint the masks on a wall and age the result; `raw` gives the layout alone, for scenes that bring their own wall."""
    if raw:
        return Layout(masks, box, boxed, size, kind, "".join(c[0] for c in chars), type_box, tuple(type_chars))
    h, w = size
    img, wave = steel(rng, h, w, smooth)
    x0, y0, x1, y1 = (int(v) for v in box)
    tone = float(img[max(0, y0):y1, max(0, x0):x1].mean())
    ink = _ink(rng, tone)
    while smooth and abs(ink - tone) < 70:       # EN 13044-1: in a colour that stands out from the wall
        ink = rng.uniform(0, 255)
    if rng.random() < 0.08:                      # a painted panel or sticker under the code
        m = CAP * rng.uniform(0.1, 0.5)
        tone = rng.uniform(0, 255)
        img[int(max(0, y0 - m)):int(y1 + m), int(max(0, x0 - m)):int(x1 + m)] = tone
        ink = _ink(rng, tone)
    _clutter(rng, faces, img, box, ink)
    strength = rng.uniform(0.9 if smooth else 0.75, 1.0)
    for mask, x, y in masks:
        if not smooth and rng.random() < 0.12:
            worn = (clouds(rng, mask.shape[0], mask.shape[1], 12) > rng.uniform(-0.6, -0.2)).astype(np.uint8)
            mask = mask * np.maximum(worn, (rng.random() < 0.5))
        put(img, mask, x, y, ink, strength)
    if boxed is not None:
        b = [int(v) for v in boxed]
        cv2.rectangle(img, (b[0], b[1]), (b[2], b[3]), float(ink), int(rng.integers(2, 6)))
    if over is not None:                         # bars over the code, in the gaps given
        for bx, bw in over:
            img[:, int(max(0, bx)):int(max(0, bx + bw))] = rng.uniform(10, 230) + clouds(rng, h, max(1, int(max(0, bx + bw)) - int(max(0, bx)))) * 20
            img[:, int(max(0, bx)):int(max(0, bx)) + 2] += rng.uniform(-80, 80)
    _rivets(rng, img)
    if wave is not None and not smooth:
        shade = np.gradient(wave) * CAP
        img *= 1 + np.clip(shade * rng.uniform(-0.12, 0.12), -0.35, 0.35)[None, :]
        if rng.random() < 0.5:
            img = _wobble(rng, img, wave, rng.uniform(-3.5, 3.5))
    if rng.random() < 0.45:
        speckle(rng, img, rng.uniform(0, 1), rng.uniform(20, 140))
    return Scene(img, chars, box, text_box or box, CAP * cap_scale, kind, vertical, [(type_box, type_chars)] if type_box is not None else [])


def _gap(rng):
    return CAP * (rng.uniform(0.06, 0.3) if rng.random() < 0.85 else rng.uniform(0.3, 0.6))


def code_line(rng, faces, with_type=False, raw=False, room=1.0, text=None, smooth=False):
    """ABCU 123456 7 on one line; optionally the size-type row below (not part of the code)."""
    code = text or container_code(rng)
    face = faces.pick(rng)
    gap = _gap(rng)
    big = CAP * rng.uniform(0.1, 1.0)
    seps = {4: big, 10: CAP * rng.uniform(0.15, 0.8)}
    if rng.random() < 0.1:
        seps[7] = CAP * rng.uniform(0.1, 0.35)
    if rng.random() < 0.12:
        seps = {}
    bar = None
    if rng.random() < 0.12:
        seps[4] = CAP * rng.uniform(1.0, 2.6)
        bar = seps[4]
    mask, spans = line(rng, face, code, gap, jitter=rng.choice([0, 0, 1.2]), seps=seps)
    if rng.random() < 0.2:
        mask = stencil(mask, spans, rng)
    mask = weight(rng, mask)
    mx, my = CAP * room * rng.uniform(0.5, 1.6), CAP * room * rng.uniform(0.5, 1.6)
    low = CAP * (2.0 if with_type else 0.0)
    w, h = int(mask.shape[1] + 2 * mx), int(CAP + 2 * my + low)
    masks = []
    step = 0.0
    if rng.random() < 0.1:                       # the door step shifts the owner part
        step = rng.uniform(-0.25, 0.25) * CAP
        cut = int((spans[3][2] + spans[4][1]) / 2)
        masks = [(mask[:, :cut], mx, my - PAD + step), (mask[:, cut:], mx + cut, my - PAD)]
    else:
        masks = [(mask, mx, my - PAD)]
    chars = [(ch, 0, mx + (a + b) / 2, my + CAP / 2 + (step if i < 4 else 0)) for i, (ch, a, b) in enumerate(spans)]
    boxed = None
    if rng.random() < 0.6 and len(seps) > 1:
        p = CAP * rng.uniform(0.08, 0.2)
        boxed = (mx + spans[-1][1] - p, my - p, mx + spans[-1][2] + p, my + CAP + p)
    type_box, type_chars = None, []
    if with_type:
        tmask, tspans = line(rng, face, type_code(rng), gap)
        k = rng.uniform(0.8, 1.05)
        tmask = cv2.resize(tmask, None, fx=k, fy=k, interpolation=cv2.INTER_LINEAR)
        off = rng.choice([0, 0, 1, 2])
        tx = mx if off == 0 else mx + rng.uniform(0, max(1, mask.shape[1] - tmask.shape[1]))
        ty = my + CAP * rng.uniform(1.2, 1.7)
        masks.append((tmask, tx, ty))
        type_box = (tx, ty + PAD * k, tx + tmask.shape[1], ty + (PAD + CAP) * k)
        type_chars = [(ch, 0, tx + (a + b) / 2 * k, ty + (PAD + CAP / 2) * k) for ch, a, b in tspans]
    over = [(mx + spans[3][2] + bar * 0.2 + gap * 0.5, bar * rng.uniform(0.3, 0.6))] if bar else None
    box = (mx, my + min(0, step), boxed[2] if boxed else mx + mask.shape[1], my + CAP + max(0, step))
    return _finish(rng, faces, masks, chars, box, (h, w), boxed=boxed, kind="code_line", over=over, raw=raw, type_box=type_box, type_chars=type_chars, smooth=smooth)


def _shift(align, width, mask):
    """Where a row stands in a stack: left, middle or right."""
    return (0, 0.5, 1)[align] * (width - mask.shape[1])


def code_stack(rng, faces, raw=False, room=1.0, text=None, smooth=False):
    """Owner above serial, with or without the size-type row as a third. `text_box` holds the two rows of the code alone."""
    code = text or container_code(rng)
    face = faces.pick(rng)
    gap = _gap(rng)
    r1, s1 = line(rng, face, code[:4], gap)
    seps = {6: CAP * rng.uniform(0.15, 0.8)} if rng.random() < 0.85 else {}
    r2, s2 = line(rng, face, code[4:], gap, seps=seps)
    rows = [(r1, s1), (r2, s2)]
    three = rng.random() < 0.7
    type_box, type_chars = None, []
    if three:
        rows.append(line(rng, face, type_code(rng), gap))
    if rng.random() < 0.2:
        rows = [(stencil(m, s, rng), s) for m, s in rows]
    mx, my = CAP * room * rng.uniform(0.5, 1.5), CAP * room * rng.uniform(0.5, 1.5)
    pitch = CAP * rng.uniform(1.15, 1.7)
    tw = max(m.shape[1] for m, _ in rows)
    align = rng.choice([0, 0, 0, 1, 2])
    masks, chars, boxed = [], [], None
    end = 0
    for k, (m, spans) in enumerate(rows):
        x = mx + _shift(align, tw, m)
        y = my + k * pitch
        masks.append((m, x, y - PAD))
        end = y + CAP
        if k == 2:
            type_box = (x, y, x + m.shape[1], y + CAP)
            type_chars = [(ch, 0, x + (a + b) / 2, y + CAP / 2) for ch, a, b in spans]
        if k < 2:
            chars += [(ch, k, x + (a + b) / 2, y + CAP / 2) for ch, a, b in spans]
        if k == 1 and seps and rng.random() < 0.6:
            p = CAP * rng.uniform(0.06, 0.12)
            boxed = (x + spans[-1][1] - p, y - p, x + spans[-1][2] + p, y + CAP + p)
    end = end if three else my + pitch + CAP
    box = (mx, my, max(mx + tw, boxed[2] if boxed else 0), end)
    text_box = (min(s[0][1] + mx + _shift(align, tw, m) for m, s in rows[:2]), my,
                max(boxed[2] if boxed else 0, *(s[-1][2] + mx + _shift(align, tw, m) for m, s in rows[:2])), my + pitch + CAP)
    w, h = int(tw + 2 * mx), int(end + my)
    return _finish(rng, faces, masks, chars, box, (h, w), boxed=boxed, kind="code_stack", raw=raw, type_box=type_box, type_chars=type_chars, text_box=text_box, smooth=smooth)


def code_column(rng, faces, raw=False, room=1.0, text=None, smooth=False):
    """The code written downwards, one upright character per row."""
    code = text or container_code(rng)
    face = faces.pick(rng)
    pitch = CAP * rng.uniform(1.08, 1.6)
    stretch = float(np.exp(rng.normal() * 0.1))
    glyphs = []
    for ch in code:
        m, spans = line(rng, face, ch, 0, stretch=stretch)
        glyphs.append(m)
    cw = max(g.shape[1] for g in glyphs)
    mx, my = max(CAP * room * rng.uniform(0.5, 1.6), 4), CAP * room * rng.uniform(0.4, 1.4)
    g1, g2 = CAP * rng.uniform(0.0, 0.9), CAP * rng.uniform(0.0, 0.7)
    sten = rng.random() < 0.15
    masks, chars, y, boxed = [], [], my, None
    for i, (ch, m) in enumerate(zip(code, glyphs)):
        if i == 4:
            y += g1
        if i == 10:
            y += g2
        x = mx + (cw - m.shape[1]) / 2
        masks.append((stencil(m, [(ch, 0, m.shape[1])], rng) if sten else m, x, y - PAD))
        chars.append((ch, 0, mx + cw / 2, y + CAP / 2))
        if i == 10 and rng.random() < 0.6:
            p = CAP * rng.uniform(0.06, 0.18)
            boxed = (mx - p, y - p, mx + cw + p, y + CAP + p)
        last = y + CAP
        y += pitch
    side = CAP * rng.uniform(0.5, 2.0)
    w = int(cw + 2 * mx + side)
    type_box, type_chars = None, []
    if rng.random() < 0.55:                      # type code beside or beneath
        t = type_code(rng)
        if rng.random() < 0.5:
            ty, tx = my + CAP * rng.uniform(0, 8), mx + cw + CAP * rng.uniform(0.35, 1.0)
        else:
            ty, tx = last + CAP * rng.uniform(0.4, 1.5), mx
        if rng.random() < 0.5:
            for ch in t:
                m, _ = line(rng, face, ch, 0, stretch=stretch)
                masks.append((m, tx, ty))
                ty += pitch
        else:
            m, spans = line(rng, face, t, CAP * 0.1, stretch=stretch)
            tx -= cw * rng.uniform(0, 1)
            masks.append((m, tx, ty))
            type_box = (tx, ty + PAD, tx + m.shape[1], ty + PAD + CAP)
            type_chars = [(ch, 0, tx + (a + b) / 2, ty + PAD + CAP / 2) for ch, a, b in spans]
    box = (mx, my, max(mx + cw, boxed[2] if boxed else 0), boxed[3] if boxed else last)
    h = int(last + my)
    return _finish(rng, faces, masks, chars, box, (h, w), boxed=boxed, kind="code_column", vertical=True, raw=raw, type_box=type_box, type_chars=type_chars, smooth=smooth)


def code(rng, faces, kind, raw=False, room=1.0, text=None, smooth=False):
    """A code scene of `kind`; `room` widens the wall around it; `smooth`: a swap body's or trailer's wall in place of a container's."""
    how = {"raw": raw, "room": room, "text": text, "smooth": smooth}
    if kind in ("code_line", "code_type"):
        return code_line(rng, faces, with_type=kind == "code_type", **how)
    return (code_stack if kind == "code_stack" else code_column)(rng, faces, **how)
