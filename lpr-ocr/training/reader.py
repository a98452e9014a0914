"""The reader: a plain-convolution CTC net over one crop, and its training from renderings and labelled photos.

    python reader.py --minutes 25 --out reader.pt [--init old.pt] [--photos FOLDER]

Two single-thread processes render and train, exchanging gradients (gloo). Losses: CTC over the 96 steps (line A, line B) plus
the cross-entropy of each character at the step under its true centre, which takes the net off the all-blank plateau.
"""
import argparse
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

from loop import average_of, begin, follow, rate, save

CLASSES, STEPS = 64, 48             # blank and faces.READABLE


def block(i, o, k, s, p):
    return nn.Sequential(nn.Conv2d(i, o, k, s, p, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b = block(c, c, (1, 5), 1, (0, 2)), nn.Sequential(nn.Conv2d(c, c, (1, 5), 1, (0, 2), bias=False), nn.BatchNorm2d(c))

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)))


class Reader(nn.Module):
    """[n, 2, 48, 192] -> logits [n, CLASSES, 96]."""

    def __init__(self, group=144):
        super().__init__()
        self.group = group
        self.body = nn.Sequential(block(2, 24, 5, 2, 2), block(24, 56, 3, 2, 1), block(56, 56, 3, 1, 1), block(56, 96, 3, (2, 1), 1),
                                  block(96, 96, 3, 1, 1), block(96, 128, 3, (2, 1), 1), block(128, 128, 3, 1, 1))
        self.collapse = block(128, 2 * group, (3, 1), 1, 0)
        self.shared = nn.Sequential(Residual(group), Residual(group))
        self.head = nn.Conv2d(group, CLASSES, 1)

    def forward(self, x):
        f = self.collapse(self.body(x))                       # [n, 288, 1, 48]
        lines = [self.head(self.shared(f[:, :self.group])), self.head(self.shared(f[:, self.group:]))]
        return torch.cat(lines, dim=3).reshape(-1, CLASSES, 2 * STEPS)


def losses(logits, texts, pos):
    logp = F.log_softmax(logits.float(), dim=1)               # [n, CLASSES, 96]
    n = logp.shape[0]
    lengths = torch.tensor([len(t) for t in texts])
    flat = torch.tensor([c for t in texts for c in t], dtype=torch.long)
    ctc = F.ctc_loss(logp.permute(2, 0, 1), flat, torch.full((n,), 2 * STEPS), lengths, reduction="none", zero_infinity=True)
    ctc = (ctc / lengths.clamp(min=1)).mean()
    where = torch.from_numpy(pos)
    at = -logp[where[:, 0], where[:, 2], where[:, 1]].mean() if len(pos) else logp.sum() * 0
    return ctc, at


def greedy(logits):
    """Best path of [CLASSES, 96] logits -> text."""
    from faces import READABLE
    best = logits.argmax(axis=0)
    out, last = [], 0
    for k, c in enumerate(best):
        if k == STEPS:
            last = 0
        if c and c != last:
            out.append(READABLE[c - 1])
        last = c
    return "".join(out)


def train(rank, world, args):
    begin(rank, world, args)
    from reader_data import ReaderData
    data = ReaderData(args.seed * 1000 + rank, args.photos)
    held = ReaderData(990_000)                               # rendered hold-out: other seed, other faces
    model = Reader()
    if args.init:
        old, own = torch.load(args.init)["raw"], model.state_dict()
        for k, v in old.items():                 # an older alphabet: its classes first, the new ones unlikely
            if v.shape != own[k].shape:
                own[k][:v.shape[0]] = v
                own[k][v.shape[0]:] = -4.0 if v.dim() == 1 else own[k][v.shape[0]:] * 0.3
            else:
                own[k] = v
        model.load_state_dict(own)
    ddp = nn.parallel.DistributedDataParallel(model)
    ema = average_of(model)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    start, seen, step, last_log, last_eval = time.time(), args.seen, 0, 0.0, time.time()
    total = args.minutes * 60
    sums, best = np.zeros(3), -1
    stop = torch.zeros(1)
    while True:
        spent = time.time() - start
        stop[0] = spent / total
        dist.broadcast(stop, 0)
        part = float(stop[0])
        if part >= 1:
            break
        lr = rate(args.lr, step, part)
        for g in opt.param_groups:
            g["lr"] = lr
        d = min(1.0, 0.2 + 0.8 * seen / 100_000)
        w = max(0.1, 1 - seen / 150_000)
        x, texts, pos = data.batch(args.batch, d)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = ddp(torch.from_numpy(x).to(memory_format=torch.channels_last))
        ctc, at = losses(logits, texts, pos)
        loss = ctc + w * at
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        step += 1
        seen += args.batch * world
        follow(ema, model, step)
        sums += [ctc.item(), at.item(), 1]
        if rank == 0 and time.time() - last_log > 20:
            last_log = time.time()
            print(f"{spent / 60:5.1f} min {seen} samples ctc {sums[0] / sums[2]:.3f} at {sums[1] / sums[2]:.3f} lr {lr:.5f} {seen / max(1, spent):.0f}/s", flush=True)
            sums[:] = 0
        if rank == 0 and time.time() - last_eval > 150:
            last_eval = time.time()
            save(model, ema, args.out, seen)
            print("   held-out:", evaluate(ema, held, 300), flush=True)
    if rank == 0:
        save(model, ema, args.out, seen)
        print("final held-out:", evaluate(ema, held, 1500), f"{seen} samples {args.minutes} min", flush=True)
    dist.destroy_process_group()


def evaluate(ema, data, count):
    """Exact greedy rate per kind on the rendered hold-out."""
    net = Reader().eval()
    ref = net.state_dict()
    net.load_state_dict({k: v.to(ref[k].dtype) for k, v in ema.items()})
    got = {}
    with torch.no_grad():
        for _ in range(count):
            crop, flag, labels, kind = data.sample(1.0)
            c = crop.astype(np.float32)
            x = np.stack([(c - c.mean()) / (c.std() + 4), np.full_like(c, flag)])[None]
            text = greedy(net(torch.from_numpy(x))[0].numpy())
            n = got.setdefault(kind, [0, 0])
            n[0] += text == "".join(c for c, _, _ in labels)
            n[1] += 1
    return {k: round(a / b, 2) for k, (a, b) in sorted(got.items())}


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=25)
    ap.add_argument("--batch", type=int, default=64, help="per process")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--out", default="reader.pt")
    ap.add_argument("--init")
    ap.add_argument("--photos", help="folder of the plate photos of train-plates.csv; without it, renderings alone")
    ap.add_argument("--seen", type=int, default=0)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--world", type=int, default=2)
    ap.add_argument("--port", type=int, default=29533)
    args = ap.parse_args()
    torch.multiprocessing.spawn(train, (args.world, args), nprocs=args.world)
