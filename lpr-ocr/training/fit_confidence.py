"""Weights of confidence: a logistic map per kind, fitted to readings that are known to be right or wrong.

    python fit_confidence.py FEATURES.csv... [--out ../data/confidence.toml] [--plot ../models/reliability.svg]

Reads the tables that `varco-ocr score --features FILE.csv` writes (kind, right, confidence, features), fits per kind the
bias and weights that are at least 0 (so the map stays monotone) by projected gradient descent with a pull towards the
present weights, and prints what changes: log loss, and a reliability table from five-fold cross-validation, before and
after. Without --out nothing is written. Needs numpy.
"""
import argparse
import csv
import os
import tomllib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHIPPED = os.path.join(HERE, "..", "data", "confidence.toml")
BINS = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
LEAST_ROWS = 200


def load(paths):
    """{kind: (names, values [n, k], right [n])}"""
    rows = {}
    names = None
    for path in paths:
        with open(path, newline="") as f:
            reader = csv.DictReader(f)
            missing = {"kind", "right"} - set(reader.fieldnames or ())
            if missing:
                raise SystemExit(f"{path}: columns {sorted(missing)} are missing; written by varco-ocr score --features")
            columns = [c for c in reader.fieldnames if c not in ("file", "kind", "right", "confidence")]
            if names is not None and columns != names:
                raise SystemExit(f"{path}: columns {columns}, the files before have {names}")
            names = columns
            for line in reader:
                values, right = rows.setdefault(line["kind"], ([], []))
                values.append([float(line[c]) for c in columns])
                right.append(float(line["right"]))
    return {k: (names, np.array(v), np.array(r)) for k, (v, r) in rows.items()}


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -40, 40)))


def loss(x, y, w):
    p = np.clip(sigmoid(x @ w[1:] + w[0]), 1e-6, 1 - 1e-6)
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def fit(x, y, start, pull, steps=4000):
    """Bias and weights >= 0 that make the log loss small; `pull`: strength of the tie to `start`, in rows."""
    middle, scale = x.mean(axis=0), x.std(axis=0)
    moves = scale > 1e-6                             # a feature that never changes tells nothing: its weight stays
    scale = np.where(moves, scale, 1.0)
    xs = (x - middle) / scale
    w = np.concatenate([[start[0] + start[1:] @ middle], start[1:] * scale])
    anchor, held, speed = w.copy(), np.zeros_like(w), np.zeros_like(w)
    tie = np.concatenate([[0.0], np.ones(x.shape[1])]) * pull / len(y)
    for step in range(1, steps + 1):                 # Adam, projected
        error = sigmoid(xs @ w[1:] + w[0]) - y
        slope = np.concatenate([[error.mean()], xs.T @ error / len(y)]) + tie * (w - anchor)
        slope[1:][~moves] = 0
        held = 0.9 * held + 0.1 * slope
        speed = 0.999 * speed + 0.001 * slope ** 2
        rate = 0.02 * min(1.0, 4 * (1 - step / (steps + 1)))
        w = w - rate * (held / (1 - 0.9 ** step)) / (np.sqrt(speed / (1 - 0.999 ** step)) + 1e-8)
        w[1:] = np.maximum(w[1:], 0)
    weights = w[1:] / scale
    return np.concatenate([[w[0] - weights @ middle], weights])


def reliability(p, y):
    lines = []
    for low, high in zip(BINS, BINS[1:]):
        at = (p >= low) & ((p < high) | (high == 1.0))
        if at.any():
            lines.append(f"    {low:.3f}-{high:.3f}  {at.sum():6d} readings  told {p[at].mean():.4f}  right {y[at].mean():.4f}")
    return "\n".join(lines)


def plot(path, kinds):
    """Told against right, cross-validated, as a drawing; `kinds`: {kind: (p, y)}. A point's area is its number of readings."""
    side, edge = 420, 50
    at = lambda v: edge + v * side
    colours = {"plate": "#1b6ca8", "container": "#c05a00", "adr": "#7a3fa0"}
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side + 2 * edge} {side + 2 * edge}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    for v in np.linspace(0, 1, 6):
        out.append(f'<path d="M{at(v):.0f} {at(0):.0f}V{at(1):.0f}M{at(0):.0f} {at(v):.0f}H{at(1):.0f}" stroke="#ddd"/>')
        out.append(f'<text x="{at(v):.0f}" y="{at(1) + 18:.0f}" text-anchor="middle">{v:.1f}</text><text x="{edge - 8}" y="{at(1 - v) + 4:.0f}" text-anchor="end">{v:.1f}</text>')
    out.append(f'<path d="M{at(0)} {at(1)}L{at(1)} {at(0)}" stroke="#888" stroke-dasharray="4 4"/>')
    for n, (kind, (p, y)) in enumerate(kinds.items()):
        colour, line = colours.get(kind, "#444"), []
        for low, high in zip(BINS, BINS[1:]):
            took = (p >= low) & ((p < high) | (high == 1.0))
            if took.any():
                told, right, count = p[took].mean(), y[took].mean(), int(took.sum())
                line.append(f"{at(told):.1f} {at(1 - right):.1f}")
                out.append(f'<circle cx="{at(told):.1f}" cy="{at(1 - right):.1f}" r="{max(2.0, count ** 0.5 / 2):.1f}" fill="{colour}" fill-opacity="0.45">'
                           f"<title>{kind}: {count} readings told {told:.3f}, right {right:.3f}</title></circle>")
        out.append(f'<path d="M{"L".join(line)}" fill="none" stroke="{colour}"/>')
        out.append(f'<text x="{at(0.04):.0f}" y="{at(0.06) + 18 * n:.0f}" fill="{colour}">{kind}: {len(y)} readings</text>')
    out.append(f'<text x="{at(0.5):.0f}" y="{at(1) + 38:.0f}" text-anchor="middle">confidence told</text>')
    out.append(f'<text transform="rotate(-90)" x="{-at(0.5):.0f}" y="16" text-anchor="middle">part that was right</text></svg>')
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def operating_point(p, y, part=0.85):
    """Share of wrong readings among all where the threshold accepts `part` of them."""
    order = np.argsort(-p)
    taken = order[:max(1, int(np.ceil(part * len(y))))]
    return float(p[taken[-1]]), float((1 - y[taken]).sum() / len(y))


def cross_validated(x, y, start, pull):
    fold = np.random.default_rng(1).permutation(len(y)) % 5
    p = np.empty(len(y))
    for k in range(5):
        w = fit(x[fold != k], y[fold != k], start, pull)
        p[fold == k] = sigmoid(x[fold == k] @ w[1:] + w[0])
    return p


def table(kind, temperature, names, w):
    lines = [f"[{kind}]", f"temperature = {temperature}", f"bias = {w[0]:.3f}"]
    return lines + [f"{n} = {v:.3f}" for n, v in zip(names, w[1:]) if v >= 0.0005]


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("features", nargs="+")
    args.add_argument("--out", help="weights file to write")
    args.add_argument("--plot", help="drawing of the reliability, SVG")
    args.add_argument("--pull", type=float, default=20.0, help="strength of the tie to the present weights, in rows")
    args = args.parse_args()
    with open(SHIPPED, "rb") as f:
        present = tomllib.load(f)
    with open(SHIPPED) as f:
        head = [line.rstrip("\n") for line in f if line.startswith("#")]
    data = load(args.features)
    lines, drawn = head, {}
    for kind, weights in present.items():
        names = [n for n in weights if n not in ("bias", "temperature")]
        temperature = weights.get("temperature", 1.0)
        if kind not in data or len(data[kind][2]) < LEAST_ROWS or len(set(data[kind][2])) < 2:
            rows = len(data[kind][2]) if kind in data else 0
            print(f"{kind}: {rows} readings ({LEAST_ROWS} and both right and wrong ones needed): weights stay")
            lines += [""] + table(kind, temperature, names, np.array([weights["bias"]] + [weights[n] for n in names]))
            continue
        names, x, y = data[kind]
        start = np.array([weights["bias"]] + [weights.get(n, 0.0) for n in names])
        before = sigmoid(x @ start[1:] + start[0])
        after = cross_validated(x, y, start, args.pull)
        w = fit(x, y, start, args.pull)
        print(f"{kind}: {len(y)} readings, {y.mean():.4f} right; log loss {loss(x, y, start):.4f} -> {loss(x, y, w):.4f}")
        for name, p in (("present weights", before), ("fitted, cross-validated", after)):
            threshold, wrong = operating_point(p, y)
            print(f"  {name}: accepting 85 % at {threshold:.4f} takes {wrong:.4f} wrong\n{reliability(p, y)}")
        lines += [""] + table(kind, temperature, names, w)
        drawn[kind] = (after, y)
    if args.plot:
        plot(args.plot, drawn)
    if args.out:
        with open(args.out, "w") as f:
            f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
