"""Whole scenes for the detector at its own scale: yards, vehicles, containers; objects with oriented boxes.

An object is (class, quad, text): the quad's corners start where reading starts, first edge along the reading direction.
"""
import cv2
import numpy as np

import containers
import plates
from camera import degrade, homography, shrink, warp_points
from faces import CAP, CELL, PAD
from scene import Scene, clouds, put, rounded, speckle, words
from strings import nonsense, notice, word

CLASSES = ["plate", "code_line", "code_column", "code_stack", "adr_panel", "type_code"]


def rect_quad(x0, y0, x1, y1, column=False):
    """Corners in reading order; a column is read downwards, its 'top' edge is the right side."""
    if column:
        return np.array([(x1, y0), (x1, y1), (x0, y1), (x0, y0)], np.float64)
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)


def backdrop(rng, h, w):
    """Yard, road, sky, buildings: bands, boxes, lines, texture."""
    img = np.full((h, w), rng.uniform(20, 230), np.float32)
    img += clouds(rng, h, w, 8) * rng.uniform(0, 70)
    if rng.random() < 0.6:
        y = int(h * rng.uniform(0.2, 0.9))
        img[y:] += rng.uniform(-80, 80)
    for _ in range(int(rng.integers(0, 14))):
        x, y, bw, bh = rng.uniform(-40, w), rng.uniform(-40, h), rng.uniform(4, 160), rng.uniform(4, 160)
        tone = float(rng.uniform(0, 255))
        r = rng.random()
        if r < 0.5:
            cv2.rectangle(img, (int(x), int(y)), (int(x + bw), int(y + bh)), tone, -1 if rng.random() < 0.7 else 2)
        elif r < 0.8:
            cv2.line(img, (int(x), int(y)), (int(x + rng.normal() * 200), int(y + rng.normal() * 200)), tone, int(rng.integers(1, 9)))
        else:
            cv2.circle(img, (int(x), int(y)), int(bw / 3), tone, -1 if rng.random() < 0.5 else 3)
    if rng.random() < 0.5:
        small = rng.standard_normal((h // int(rng.integers(2, 9)), w // int(rng.integers(2, 9)))).astype(np.float32)
        img += cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR) * rng.uniform(2, 28)
    return img


def _free(taken, box, pad):
    x0, y0, x1, y1 = box
    return all(x1 + pad < a or x0 - pad > c or y1 + pad < b or y0 - pad > d for a, b, c, d in taken)


def _place(rng, taken, w, h, area, pad, tries=12, corner=False):
    ax0, ay0, ax1, ay1 = area
    if ax1 - ax0 <= w or ay1 - ay0 <= h:
        return None
    for k in range(tries):
        fx, fy = rng.random(), rng.random()
        if corner and k < tries // 2:
            fx, fy = 1 - 0.3 * fx * fx, 0.35 * fy
        x, y = ax0 + fx * (ax1 - ax0 - w), ay0 + fy * (ay1 - ay0 - h)
        if _free(taken, (x, y, x + w, y + h), pad):
            return x, y
    return None


def container_wall(rng, faces, h, w, scale=1.0):
    """A wall drawn flat, h x w, with codes, notices, logos, posts and bars. Returns (picture, objects)."""
    tone = rng.uniform(20, 235)
    img = np.full((h, w), tone, np.float32)
    img += clouds(rng, h, w) * rng.uniform(0, 25)
    cap = float(np.exp(rng.uniform(np.log(6), np.log(34)))) * scale
    kind = rng.choice(["side", "door", "flat", "reefer"], p=[0.45, 0.3, 0.15, 0.1])
    wave = None
    if kind in ("side", "reefer") or rng.random() < 0.3:
        period = cap * rng.uniform(0.6, 1.3) if kind == "reefer" else cap * rng.uniform(1.2, 4.5)
        shade, wave = containers.corrugation(rng, h, w, period)
        img += shade[None, :] * rng.uniform(4, 50)
    if kind == "door":
        for _ in range(int(rng.integers(1, 5))):         # lock rods, door gap
            x, bw = int(rng.uniform(0, w)), int(cap * rng.uniform(0.15, 0.8)) + 1
            img[:, max(0, x):x + bw] = tone + rng.uniform(-60, 60)
            img[:, max(0, x - 1):x] -= rng.uniform(0, 60)
        for _ in range(int(rng.integers(0, 6))):         # hinges, cams, rails
            y, bh = int(rng.uniform(0, h)), int(cap * rng.uniform(0.2, 1.0)) + 1
            x, bw = int(rng.uniform(0, w)), int(cap * rng.uniform(1, 8))
            img[max(0, y):y + bh, max(0, x):x + bw] = tone + rng.uniform(-70, 70)
    edge = int(cap * rng.uniform(0.3, 3))                # posts and rails
    for sl in ((slice(None), slice(0, edge)), (slice(None), slice(w - edge, w)), (slice(0, edge), slice(None)), (slice(h - edge, h), slice(None))):
        if rng.random() < 0.75:
            img[sl] = tone + rng.uniform(-60, 60)
    ink = containers._ink(rng, tone)
    taken, objects = [], []
    area = (edge * 0.3 + 2, edge * 0.3 + 2, w - edge * 0.3 - 2, h - edge * 0.3 - 2)
    n_codes = int(rng.choice([0, 1, 2, 3], p=[0.08, 0.6, 0.24, 0.08]))
    for _ in range(n_codes):
        ck = rng.choice(["code_line", "code_type", "code_stack", "code_column"], p=[0.24, 0.2, 0.22, 0.34])
        lay = containers.code(rng, faces, ck, raw=True)
        k = cap / CAP * float(np.exp(rng.normal() * 0.12))
        lh, lw = lay.size
        where = _place(rng, taken, lw * k, lh * k, area, 0, corner=rng.random() < 0.6)
        if where is None:
            k *= 0.6
            if CAP * k < 5.5:
                continue
            where = _place(rng, taken, lw * k, lh * k, area, 0)
            if where is None:
                continue
        ox, oy = where
        strength = rng.uniform(0.75, 1)
        paint = ink
        if rng.random() < 0.08:
            b = lay.box
            m = CAP * 0.3
            patch = rng.uniform(0, 255)
            cv2.rectangle(img, (int(ox + (b[0] - m) * k), int(oy + (b[1] - m) * k)), (int(ox + (b[2] + m) * k), int(oy + (b[3] + m) * k)), float(patch), -1)
            paint = containers._ink(rng, patch)
        for mask, x, y in lay.masks:
            small = cv2.resize(mask, (max(1, int(round(mask.shape[1] * k))), max(2, int(round(mask.shape[0] * k)))), interpolation=cv2.INTER_AREA)
            put(img, small, ox + x * k, oy + y * k, paint, strength)
        if lay.boxed is not None:
            b = [int(round(v)) for v in (ox + lay.boxed[0] * k, oy + lay.boxed[1] * k, ox + lay.boxed[2] * k, oy + lay.boxed[3] * k)]
            cv2.rectangle(img, (b[0], b[1]), (b[2], b[3]), float(paint), 1 if CAP * k < 16 else 2)
        cls = {"code_line": 1, "code_column": 2, "code_stack": 3}[lay.kind]
        b = lay.box
        x0, y0, x1, y1 = ox + b[0] * k, oy + b[1] * k, ox + b[2] * k, oy + b[3] * k
        objects.append((cls, rect_quad(x0, y0, x1, y1, cls == 2), lay.text))
        if lay.type_box is not None:
            b = lay.type_box
            objects.append((5, rect_quad(ox + b[0] * k, oy + b[1] * k, ox + b[2] * k, oy + b[3] * k), lay.type_text))
        taken.append((ox, oy, ox + lw * k, oy + lh * k))
    for _ in range(int(rng.integers(0, 9))):             # notices and logos
        big = rng.random() < 0.25
        th = cap * (rng.uniform(1.2, 6) if big else rng.uniform(0.35, 1.0))
        text = word(rng) if big else (notice(rng) if rng.random() < 0.85 else nonsense(rng, 4, 12))
        upright = rng.random() < 0.12
        tw = len(text) * th * 0.75
        if upright:
            tw, hh = th * 1.2, tw
        else:
            hh = th * 1.3
        where = _place(rng, taken, tw, hh, (-tw * 0.3, 0, w + tw * 0.3, h), cap * 0.25, 4)
        if where is None:
            continue
        got = words(rng, faces, img, text, where[0], where[1], th, ink if rng.random() < 0.7 else rng.uniform(0, 255), rng.uniform(0.5, 1), vertical=upright)
        taken.append((where[0], where[1], got[2], got[3]))
    if rng.random() < 0.1:                               # a company name written downwards, letter under letter
        text, th = word(rng), cap * rng.uniform(0.8, 3)
        x, y = rng.uniform(0, w), rng.uniform(0, h * 0.4)
        if _free(taken, (x, y, x + th, y + len(text) * th * 1.3), 2):
            for ch in text:
                words(rng, faces, img, ch, x, y, th, ink)
                y += th * 1.3
    if rng.random() < 0.08:
        panel = plates.adr(rng, faces)
        paste_flat(rng, img, panel, 4, cap * 2.2 / CAP * 0.5, objects, taken)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 12))):        # labels and small marks
            x, y, s = rng.uniform(0, w), rng.uniform(0, h), cap * rng.uniform(0.3, 2)
            if _free(taken, (x, y, x + s, y + s), 1):
                cv2.rectangle(img, (int(x), int(y)), (int(x + s), int(y + s * rng.uniform(0.4, 1.5))), float(rng.uniform(0, 255)), -1)
    if wave is not None and rng.random() < 0.6:
        img *= 1 + np.clip(np.gradient(wave) * cap * rng.uniform(-0.12, 0.12), -0.3, 0.3)[None, :]
    if rng.random() < 0.5:
        speckle(rng, img, rng.uniform(0, 1), rng.uniform(20, 140))
    return img, objects, cap


def paste_flat(rng, img, scene, cls, scale, objects, taken):
    """Paste the object of a drawn scene (plate, panel) upright into a flat picture."""
    x0, y0, x1, y1 = (int(v) for v in scene.box)
    part = cv2.resize(scene.img[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ph, pw = part.shape
    where = _place(rng, taken, pw, ph, (0, 0, img.shape[1], img.shape[0]), 1)
    if where is None or ph < 3 or pw < 6:
        return
    x, y = int(where[0]), int(where[1])
    img[y:y + ph, x:x + pw] = part
    objects.append((cls, rect_quad(x, y, x + pw, y + ph), scene.text))
    taken.append((x, y, x + pw, y + ph))


def over(img, flat, m, feather=False):
    """Warp a flat drawing over the picture (in place)."""
    h, w = img.shape
    fh, fw = flat.shape
    quad = warp_points(m, [(0, 0), (fw, 0), (fw, fh), (0, fh)])
    lo = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    hi = np.minimum(np.ceil(quad.max(axis=0)).astype(int), (w, h))
    if (hi - lo).min() < 3:
        return
    t = np.array([[1, 0, -lo[0]], [0, 1, -lo[1]], [0, 0, 1.0]]) @ m
    size = (int(hi[0] - lo[0]), int(hi[1] - lo[1]))
    new = cv2.warpPerspective(flat, t, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, np.round((quad - lo) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    part = img[lo[1]:hi[1], lo[0]:hi[0]]
    part += (new - part) * (mask.astype(np.float32) / 255)


def paste_view(rng, img, scene, cls, cap, objects, oblique=0.2):
    """Paste a plate or panel with a random view, centre anywhere it fits."""
    h, w = img.shape
    x0, y0, x1, y1 = (int(v) for v in scene.box)
    flat, k = shrink(scene.img[y0:y1, x0:x1], cap / scene.cap)
    m = homography(rng, x1 - x0, y1 - y0, cap / scene.cap, 1.0, oblique) @ np.diag([1 / k, 1 / k, 1.0])
    fh, fw = flat.shape
    quad = warp_points(m, [(0, 0), (fw, 0), (fw, fh), (0, fh)])
    lo, hi = quad.min(axis=0), quad.max(axis=0)
    bw, bh = hi - lo
    where = _place(rng, [(q[:, 0].min(), q[:, 1].min(), q[:, 0].max(), q[:, 1].max()) for _, q, _ in objects], bw, bh, (2, 2, w - 2, h - 2), 2)
    if where is None:
        return
    t = np.array([[1, 0, where[0] - lo[0]], [0, 1, where[1] - lo[1]], [0, 0, 1.0]])
    over(img, flat, t @ m)
    objects.append((cls, quad + (np.array(where) - lo), scene.text))


def paste_whole(rng, img, scene, cap):
    """Paste a drawing with all that surrounds its object in a random view, whole, anywhere in the picture. Returns the map from
    the drawing's pixels to the picture's, or None where it does not fit."""
    height, width = img.shape
    flat, k = shrink(scene.img, cap / scene.cap)
    h, w = scene.img.shape
    m = homography(rng, w, h, cap / scene.cap, 0.8, oblique=0.15)
    quad = warp_points(m, [(0, 0), (w, 0), (w, h), (0, h)])
    lo, hi = quad.min(axis=0), quad.max(axis=0)
    if (hi - lo > (width - 8, height - 8)).any():
        return None
    move = np.array([rng.uniform(4, width - 4 - (hi - lo)[0]), rng.uniform(4, height - 4 - (hi - lo)[1])]) - lo
    t = np.array([[1, 0, move[0]], [0, 1, move[1]], [0, 0, 1.0]]) @ m
    over(img, flat, t @ np.diag([1 / k, 1 / k, 1.0]))
    return t


def lettering(rng, faces):
    """Text that is neither plate nor code: names, phone numbers, notices, on a wall or on a panel."""
    w, h = int(CAP * rng.uniform(4, 13)), int(CAP * rng.uniform(2.2, 4))
    img, _ = containers.steel(rng, h, w)
    tone = float(img.mean())
    x, y, cap = CAP * rng.uniform(0.5, 1.2), CAP * rng.uniform(0.5, 1.2), CAP * rng.uniform(0.6, 1.2)
    if rng.random() < 0.35:
        body = np.zeros(img.shape, np.uint8)
        rounded(body, x - 8, y - 8, w - x + 8, y + cap + 14, 4)
        tone = rng.uniform(0, 255)
        put(img, body, 0, 0, tone)
    r = rng.random()
    if r < 0.4:
        text = notice(rng)
    elif r < 0.75:
        text = word(rng) + (" " + word(rng) if rng.random() < 0.6 else "")
    elif r < 0.9:
        text = f"{int(rng.integers(0, 999)):03d} {int(rng.integers(10000, 9999999))}"
    else:
        text = f"{int(rng.integers(1, 99))} {nonsense(rng, 2, 3)} {int(rng.integers(100))}"
    x0, y0, x1, y1 = words(rng, faces, img, text, x, y, cap, containers._ink(rng, tone))
    x1 = min(x1, w)
    box = (x0, y0, max(x1, x0 + 20), y0 + cap)
    return Scene(img, [], box, box, CAP, "none", rng.random() < 0.1)


def truck(rng, faces, grammar, h, w):
    """Plain front or rear of a vehicle with its plate: cab, screen, grille, lamps, doors, lettering."""
    img = backdrop(rng, h, w)
    tone = float(rng.uniform(20, 240))
    cx, tw, th = w * rng.uniform(0.3, 0.7), w * rng.uniform(0.35, 0.95), h * rng.uniform(0.5, 1.0)
    y1 = h * rng.uniform(0.75, 1.05)
    x0, y0, x1 = cx - tw / 2, y1 - th, cx + tw / 2

    def rect(fx0, fy0, fx1, fy1, t, fill=-1):
        cv2.rectangle(img, (int(x0 + fx0 * tw), int(y0 + fy0 * th)), (int(x0 + fx1 * tw), int(y0 + fy1 * th)), float(t), fill)

    rect(0, 0, 1, 1, tone)
    front = rng.random() < 0.6
    if front:
        rect(0.06, 0.08, 0.94, rng.uniform(0.35, 0.5), rng.uniform(10, 120))
        g0, g1 = 0.5, rng.uniform(0.65, 0.8)
        rect(0.2, g0, 0.8, g1, tone * rng.uniform(0.2, 0.8))
        for y in np.linspace(g0, g1, int(rng.integers(3, 9))):
            rect(0.2, y, 0.8, y + 0.005, rng.uniform(0, 255))
        for fx in (0.03, 0.83):
            rect(fx, 0.78, fx + 0.14, 0.88, rng.uniform(120, 255))
        rect(0, 0.88, 1, 1, rng.uniform(10, 200))
    else:
        rect(0.49, 0, 0.5, 0.85, tone * 0.5)
        for fx in (0.2, 0.35, 0.65, 0.8):
            rect(fx, 0, fx + 0.012, 0.85, rng.uniform(0, 255))
        for y in np.linspace(0.1, 0.8, int(rng.integers(3, 7))):
            rect(0, y, 1, y + 0.006, tone * 0.7)
        rect(0, 0.86, 1, 1, rng.uniform(10, 90))
        for fx in (0.02, 0.84):
            rect(fx, 0.89, fx + 0.14, 0.96, rng.uniform(60, 220))
    for _ in range(int(rng.integers(0, 4))):
        words(rng, faces, img, word(rng) if rng.random() < 0.7 else notice(rng), x0 + tw * rng.uniform(0.1, 0.6), y0 + th * rng.uniform(0.0, 0.85), rng.uniform(5, 32), rng.uniform(0, 255))
    objects = []
    cap = float(np.clip(tw * 0.035 * rng.uniform(0.6, 1.8), 5, 34))
    scene = plates.plate(rng, faces, grammar, "two" if rng.random() < 0.12 else "eu")
    sx0, sy0, sx1, sy1 = (int(v) for v in scene.box)
    flat, k = shrink(scene.img[sy0:sy1, sx0:sx1], cap / scene.cap)
    pw, ph = (sx1 - sx0) * cap / scene.cap, (sy1 - sy0) * cap / scene.cap
    px, py = x0 + tw * rng.uniform(0.4, 0.6) - pw / 2, y0 + th * rng.uniform(0.86, 0.97) - ph / 2
    m = np.array([[1, 0, px], [0, 1, py], [0, 0, 1.0]]) @ homography(rng, sx1 - sx0, sy1 - sy0, cap / scene.cap, 0.6) @ np.diag([1 / k, 1 / k, 1.0])
    fh, fw = flat.shape
    quad = warp_points(m, [(0, 0), (fw, 0), (fw, fh), (0, fh)])
    over(img, flat, m)
    objects.append((0, quad, scene.text))
    if rng.random() < 0.3:
        paste_view(rng, img, plates.adr(rng, faces), 4, cap * rng.uniform(0.9, 1.6), objects)
    return img, objects, cap


def container_scene(rng, faces, h, w, back, scale=1.0):
    """A container wall in view, often larger than the picture."""
    fh, fw = int(h * rng.uniform(0.6, 1.25)), int(w * rng.uniform(0.6, 1.35))
    flat, objs, cap = container_wall(rng, faces, fh, fw, scale)
    m = homography(rng, fw, fh, 1.0, rng.uniform(0.3, 1.0), oblique=0.25)
    if rng.random() < 0.3:                               # seen along the side: strong perspective
        p = np.eye(3)
        p[2, 0] = rng.uniform(-0.7, 0.7) / fw
        p[2, 1] = rng.normal() * 0.15 / fh
        m = m @ np.array([[1, 0, fw / 2], [0, 1, fh / 2], [0, 0, 1.0]]) @ p @ np.array([[1, 0, -fw / 2], [0, 1, -fh / 2], [0, 0, 1.0]])
    c = warp_points(m, [(fw / 2, fh / 2)])[0]
    aim = np.array([w / 2 + rng.normal() * w * 0.12, h / 2 + rng.normal() * h * 0.12])
    if objs and rng.random() < 0.7:                      # keep a code in view
        c = warp_points(m, [objs[0][1].mean(axis=0)])[0]
        aim = np.array([w * rng.uniform(0.2, 0.8), h * rng.uniform(0.2, 0.8)])
    m = np.array([[1, 0, aim[0] - c[0]], [0, 1, aim[1] - c[1]], [0, 0, 1.0]]) @ m
    over(back, flat, m)
    return back, [(cls, warp_points(m, q), text) for cls, q, text in objs], cap
