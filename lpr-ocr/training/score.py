"""End-to-end scores: a folder with truth.csv, or rendered frames of a seed never trained on.

    python score.py folder MODELS FOLDER [--regions EU,BALKAN] [--csv out.csv]
    python score.py rendered MODELS [--count 200] [--kind container|truck]

The folders of validation pictures are for measuring only: no weight, threshold or checkpoint is chosen on them.
"""
import argparse
import csv
import os
import time

import cv2
import numpy as np

from decode import CODE_CLASSES, Nets, PlateReader

FOLD = str.maketrans("OQI", "001")


def score_folder(nets, folder, regions, out, verbose):
    plates = PlateReader(regions)
    groups, rows, spent = {}, [], 0.0
    with open(os.path.join(folder, "truth.csv"), newline="") as f:
        truth = list(csv.DictReader(f))
    for r in truth:
        gray = cv2.imread(os.path.join(folder, r["file"]), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            continue
        start = time.process_time()
        want = r["text"].replace(" ", "").replace("-", "").upper()
        container = r["region"] == "container"
        got = nets.code(gray) if container else nets.plate(gray, plates)
        spent += time.process_time() - start
        text, score, box = (got[0], got[1], got[2]) if got else ("", -99.0, None)
        hit = ""
        if r.get("w") and box is not None:
            x, y, w, h = (float(r[k]) for k in "xywh")
            hit = int(x <= box[2] <= x + w and y <= box[3] <= y + h)
        key = r.get("layout") or r["region"]
        g = groups.setdefault(key, np.zeros(6))
        g += [1, text == want, text.translate(FOLD) == want.translate(FOLD), bool(text) and text != want, hit == 1, hit != ""]
        rows.append([r["file"], want, text, f"{score:.2f}", "" if box is None else f"{box[0]} {box[1]:.2f}", hit])
        if verbose and text != want:
            print("  ", *rows[-1])
    total = sum(groups.values())
    print(f"{os.path.basename(os.path.normpath(folder))}: {spent / max(1, len(rows)) * 1000:.0f} ms CPU per picture")
    for key, g in list(sorted(groups.items())) + [("all", total)]:
        n = int(g[0])
        print(f"  {key:12s} {n:4d} exact {int(g[1]):4d} ({100 * g[1] / n:.1f} %) folded {int(g[2])} ({100 * g[2] / n:.1f} %) wrong {int(g[3])} none {n - int(g[1]) - int(g[3])}"
              + (f" chosen box on truth {int(g[4])}/{int(g[5])}" if g[5] else ""))
    if out:
        with open(out, "w", newline="") as f:
            csv.writer(f).writerows([["file", "truth", "read", "score", "box", "on_truth"], *rows])


def score_rendered(nets, count, kind, seed, save):
    """Frames of 1920x1080 (containers) or 1280x720 (trucks), all objects counted."""
    import scenes
    from camera import degrade
    from faces import Faces
    from strings import Grammar
    rng = np.random.default_rng(seed)
    faces, grammar, plates = Faces(rng, drawn=60), Grammar(), PlateReader({"EU", "BALKAN", "MED", "NORTH", "EAST"})
    found, right, total, frames_right, frames = {}, {}, {}, 0, 0
    for k in range(count):
        h, w = (1080, 1920) if kind == "container" else (720, 1280)
        if kind == "container":
            img, objs, cap = scenes.container_scene(rng, faces, h, w, scenes.backdrop(rng, h, w), 2.0)
        else:
            img, objs, cap = scenes.truck(rng, faces, grammar, h, w)
        img = degrade(rng, img, min(cap, 16.0), 0.6)
        boxes = nets.detect(img, 0.25)
        any_right = False
        for cls, quad, text in objs:
            lo, hi = quad.min(axis=0), quad.max(axis=0)
            if (lo < 0).any() or (hi > (w, h)).any() or min(np.linalg.norm(quad[1] - quad[2]), np.linalg.norm(quad[0] - quad[1])) < 13:
                continue
            total[cls] = total.get(cls, 0) + 1
            c = quad.mean(axis=0)
            near = [b for b in boxes if b[0] == cls and np.hypot(b[2] - c[0], b[3] - c[1]) < 0.25 * np.linalg.norm(hi - lo)]
            if not near:
                continue
            found[cls] = found.get(cls, 0) + 1
        if kind == "container":
            codes = {o[2] for o in objs if o[0] in CODE_CLASSES}
            got = nets.code(img)
            any_right = got is not None and got[0] in codes
            if codes:
                frames += 1
                frames_right += any_right
        else:
            want = {o[2] for o in objs if o[0] == 0}
            got = nets.plate(img, plates)
            frames += 1
            frames_right += got is not None and got[0] in want
        if save and k < 12:
            view = cv2.cvtColor(img, cv2.COLOR_GRAY2BGR)
            for b in boxes:
                cv2.polylines(view, [np.int32(cv2.boxPoints(((b[2], b[3]), (b[4], b[5]), np.degrees(b[6]))))], True, (0, 255, 0), 2)
            cv2.imwrite(f"{save}{k}.png", cv2.resize(view, (960, 540)))
    print(f"rendered {kind}: {frames_right} of {frames} frames read right; objects found:", {k: f"{found.get(k, 0)}/{n}" for k, n in sorted(total.items())})


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("mode", choices=["folder", "rendered"])
    ap.add_argument("models")
    ap.add_argument("folder", nargs="?")
    ap.add_argument("--regions")
    ap.add_argument("--csv")
    ap.add_argument("--count", type=int, default=200)
    ap.add_argument("--kind", default="container")
    ap.add_argument("--seed", type=int, default=424_242)
    ap.add_argument("--save")
    ap.add_argument("--verbose", action="store_true")
    args = ap.parse_args()
    cv2.setNumThreads(1)
    nets = Nets(args.models)
    if args.mode == "folder":
        score_folder(nets, args.folder, set(args.regions.split(",")) if args.regions else None, args.csv, args.verbose)
    else:
        score_rendered(nets, args.count, args.kind, args.seed, args.save)
