"""From a flat drawing to what a camera would deliver: geometry, optics, light, coding."""
import cv2
import numpy as np

READER_W, READER_H = 192, 48


def degrade(rng, img, cap, d=1.0):
    """Blur, light, noise and JPEG for a grey float picture; `cap` = capital height in pixels, `d` = difficulty 0..1.

    Blur and noise are relative to the character height and to the contrast, so that nothing becomes unreadable.
    """
    if rng.random() < 0.75:
        s = cap * rng.uniform(0.0, 0.072) * (0.3 + 0.7 * d) + rng.uniform(0, 0.3)
        if s > 0.2:
            img = cv2.GaussianBlur(img, (0, 0), s)
    if rng.random() < 0.2 * d:
        n = int(cap * rng.uniform(0.05, 0.2))
        if n >= 2:
            k = np.zeros((n, n), np.float32)
            a = rng.uniform(0, np.pi)
            c = (n - 1) / 2
            cv2.line(k, (int(round(c - c * np.cos(a))), int(round(c - c * np.sin(a)))), (int(round(c + c * np.cos(a))), int(round(c + c * np.sin(a)))), 1.0, 1)
            img = cv2.filter2D(img, -1, k / max(1.0, k.sum()), borderType=cv2.BORDER_REPLICATE)
    h, w = img.shape
    if rng.random() < 0.35:
        img = 255.0 * (np.clip(img, 0, 255) / 255.0) ** np.float32(np.exp(rng.normal() * 0.35))
    gain = 1.0 if rng.random() < 0.4 else rng.uniform(0.25 if rng.random() < 0.3 * d else 0.55, 1.2)
    img = img * np.float32(gain) + np.float32(rng.uniform(-10, 25))
    r = rng.random()
    if r < 0.25 * d:                             # gradient of light
        gx = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1.2), w, dtype=np.float32)
        gy = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1.2), h, dtype=np.float32)
        img = img * gx[None, :] * gy[:, None]
    elif r < 0.45 * d:                           # edge of a shadow
        xs, ys = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(-1, 1, h, dtype=np.float32))
        a = rng.uniform(0, 2 * np.pi)
        edge = (xs * np.cos(a) + ys * np.sin(a) - rng.uniform(-0.7, 0.7)) * rng.uniform(4, 60)
        img = img * (1 - np.float32(rng.uniform(0.2, 0.62)) * np.clip(edge + 0.5, 0, 1))
    elif r < 0.5 * d:                            # glare
        xs, ys = np.meshgrid(np.linspace(0, 1, w, dtype=np.float32), np.linspace(0, 1, h, dtype=np.float32))
        g = np.exp(-(((xs - rng.random()) / rng.uniform(0.08, 0.4)) ** 2 + ((ys - rng.random()) / rng.uniform(0.2, 0.8)) ** 2))
        img = img + g * rng.uniform(20, 110)
    spread = float(img.std())
    if rng.random() < 0.6:
        img = img + rng.standard_normal(img.shape, dtype=np.float32) * (spread * rng.uniform(0, 0.22) * d + rng.uniform(0, 2))
    img = np.clip(img, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        q = int(rng.uniform(25 + 40 * (1 - d), 95))
        img = cv2.imdecode(cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, q])[1], cv2.IMREAD_GRAYSCALE)
    return img


def homography(rng, w, h, scale, d=1.0, oblique=0.0, angle=None):
    """Random view of a w x h drawing: rotation, shear, aspect, perspective. Maps drawing pixels to view pixels."""
    a = rng.normal() * 2.2 * d if angle is None else angle
    if oblique and rng.random() < oblique:
        shear, squeeze, tilt = rng.normal() * 0.16 * d, rng.uniform(0.5, 1.0), rng.normal() * 5 * d
        a += tilt
    else:
        shear, squeeze = rng.normal() * 0.06 * d, float(np.exp(rng.normal() * 0.1))
    c, s = np.cos(np.radians(a)), np.sin(np.radians(a))
    sx, sy = scale * np.sqrt(squeeze), scale / np.sqrt(squeeze)
    m = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ np.array([[sx, shear * sx, 0], [0, sy, 0], [0, 0, 1.0]])
    p = np.eye(3)
    p[2, 0] = rng.normal() * 0.07 * d / max(1.0, w)
    p[2, 1] = rng.normal() * 0.05 * d / max(1.0, h)
    return m @ np.array([[1, 0, w / 2], [0, 1, h / 2], [0, 0, 1.0]]) @ p @ np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])


def warp_points(m, pts):
    p = np.asarray(pts, np.float64)
    q = m @ np.stack([p[:, 0], p[:, 1], np.ones(len(p))])
    return (q[:2] / q[2]).T


def shrink(img, scale):
    """Area-average before a strong reduction; returns the picture and the factor already applied."""
    if scale >= 0.7:
        return img, 1.0
    k = max(scale, 0.05)
    return cv2.resize(img, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), k


def aligned_view(rng, scene, d=1.0):
    """One training crop as the aligner delivers it: the text's quad, a little off at each corner, drawn upright."""
    cap = float(np.exp(rng.uniform(np.log(9 + 9 * (1 - d)), np.log(28 if "us" in scene.extra else 46))))      # wide views, small plates
    h, w = scene.img.shape
    scale = cap / scene.cap
    src, k = shrink(scene.img, scale)
    m = homography(rng, w, h, scale, d, oblique=0.3 if scene.kind == "plate" else 0.15)
    x0, y0, x1, y1 = scene.box if scene.kind == "code_stack" and rng.random() < 0.2 else scene.text_box
    short = min(x1 - x0, y1 - y0)
    corner = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64)
    out = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
    margin = rng.uniform(0.0, 0.26) + rng.normal() * 0.03
    corner += out * margin * short
    off = rng.normal(size=(4, 2)) * np.array([0.05, 0.045]) * short * d
    if rng.random() < 0.15:
        off *= 2.2
    quad = warp_points(m, corner + off)
    edges = [np.linalg.norm(quad[i] - quad[(i + 1) % 4]) for i in range(4)]
    ow, oh = int(round((edges[0] + edges[2]) / 2)), int(round((edges[1] + edges[3]) / 2))
    if not (6 <= min(ow, oh) and max(ow, oh) < 1500):
        return None
    pad = 3
    want = np.array([(0, 0), (ow, 0), (ow, oh), (0, oh)], np.float32) + pad
    t = cv2.getPerspectiveTransform(quad.astype(np.float32), want).astype(np.float64)
    view = cv2.warpPerspective(src, t @ m @ np.diag([1 / k, 1 / k, 1.0]), (ow + 2 * pad, oh + 2 * pad), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view = degrade(rng, view, cap, d)[pad:-pad, pad:-pad]
    pts = warp_points(t @ m, [(c[2], c[3]) for c in scene.chars]) - pad if scene.chars else np.zeros((0, 2))
    return finish(rng, scene, view, pts, ow, oh)


def finish(rng, scene, view, pts, ow, oh):
    """Turn a column, stretch to the reader's input, place the labels."""
    if scene.vertical:
        view = cv2.rotate(view, cv2.ROTATE_90_COUNTERCLOCKWISE)
        pos = pts[:, 1] / oh
    else:
        pos = pts[:, 0] / ow
    crop = cv2.resize(view, (READER_W, READER_H), interpolation=cv2.INTER_AREA if view.shape[0] > READER_H and rng.random() < 0.7 else cv2.INTER_LINEAR)
    labels = [(c[0], c[1], float(min(max(p, 0.0), 0.999))) for c, p in zip(scene.chars, pos)]
    return crop, int(scene.vertical), labels


def reader_view(rng, scene, d=1.0):
    """One training crop: (48 x 192 uint8, flag, [(character, line, position 0..1)]); None when the view degenerates."""
    if rng.random() < 0.6:
        return aligned_view(rng, scene, d)
    cap = float(np.exp(rng.uniform(np.log(10 + 8 * (1 - d)), np.log(28 if "us" in scene.extra else 50))))
    h, w = scene.img.shape
    scale = cap / scene.cap
    src, k = shrink(scene.img, scale)
    m = homography(rng, w, h, scale, d, oblique=0.2 if scene.kind == "plate" else 0.08)
    box = scene.box if (scene.kind in ("plate", "adr", "code_stack") and rng.random() < 0.6) else scene.text_box
    x0, y0, x1, y1 = box
    quad = warp_points(m, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    lo, hi = quad.min(axis=0), quad.max(axis=0)
    bw, bh = hi - lo
    short = min(bw, bh)
    if not (4 < short < 400 and 8 < max(bw, bh) < 1500):
        return None
    if rng.random() < (0.55 if scene.kind.startswith("code") else 0.75):
        ml, mt, mr, mb = rng.uniform(-0.02, 0.22, 4) * short
    else:                                        # a loose detector: the long side is the uncertain one
        ml, mt, mr, mb = rng.uniform(-0.04, 0.4, 4) * short
        wide = {"code_line": 2.0, "code_column": 2.0, "code_stack": 0.7}.get(scene.kind, 0.6)
        ends = np.where(rng.random(2) < 0.3, rng.uniform(-0.03, 0.2, 2), rng.uniform(0.0, wide, 2)) * short
        if bw > bh:
            ml, mr = ends
        else:
            mt, mb = ends
    cx0, cy0 = lo[0] - ml, lo[1] - mt
    ow, oh = int(round(bw + ml + mr)), int(round(bh + mt + mb))
    if ow < 6 or oh < 6:
        return None
    pad = 3
    t = np.array([[1, 0, pad - cx0], [0, 1, pad - cy0], [0, 0, 1.0]])
    full = t @ m @ np.diag([1 / k, 1 / k, 1.0])
    view = cv2.warpPerspective(src, full, (ow + 2 * pad, oh + 2 * pad), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view = degrade(rng, view, cap, d)[pad:-pad, pad:-pad]
    pts = warp_points(t @ m, [(c[2], c[3]) for c in scene.chars]) - pad if scene.chars else np.zeros((0, 2))
    return finish(rng, scene, view, pts, ow, oh)
