"""The aligner: from a rough box to the exact quad of the text, and what kind of text it is; its training.

    python aligner.py --minutes 15 --photos PLATE_BOXES --out aligner.pt [--init old.pt]
"""
import argparse
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

from aligner_data import KINDS, VIEW_H, VIEW_W
from loop import average_of, begin, follow, rate, save
from reader import block

KIND_COUNT = len(KINDS)


class Aligner(nn.Module):
    """[n, 2, 64, 256] -> [n, 16]: four corners (x, y in -1..1), then the kinds' logits. 0.1 GFLOP, 0.5 M parameters."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(block(2, 16, 5, 2, 2), block(16, 32, 3, 2, 1), block(32, 48, 3, 1, 1), block(48, 64, 3, 2, 1),
                                  block(64, 64, 3, 1, 1), block(64, 96, 3, 2, 1), block(96, 96, 3, 1, 1), block(96, 40, 1, 1, 0))
        self.all = block(40, 160, (VIEW_H // 16, VIEW_W // 16), 1, 0)
        self.head = nn.Conv2d(160, 8 + KIND_COUNT, 1)
        with torch.no_grad():
            self.head.bias[:8] = torch.tensor([-0.7, -0.45, 0.7, -0.45, 0.7, 0.45, -0.7, 0.45])

    def forward(self, x):
        return self.head(self.all(self.body(x))).reshape(-1, 8 + KIND_COUNT)


def losses(out, quads, kinds):
    out = out.float()
    kinds = torch.from_numpy(kinds)
    ce = F.cross_entropy(out[:, 8:], kinds)
    some = kinds > 0
    delta = (out[some, :8] - torch.from_numpy(quads)[some]).abs()
    scale = torch.tensor([1.0, 0.5] * 4)                # x is measured in widths: errors there cut characters
    return ce, (delta * scale).mean() if some.any() else ce * 0


def train(rank, world, args):
    begin(rank, world, args)
    from aligner_data import AlignerData
    data = AlignerData(args.seed * 1000 + rank, args.photos)
    model = Aligner()
    if args.init:
        model.load_state_dict(torch.load(args.init)["raw"])
    ddp = nn.parallel.DistributedDataParallel(model)
    ema = average_of(model)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    start, seen, step, last_log, last_save = time.time(), 0, 0, 0.0, time.time()
    sums, clock = np.zeros(3), torch.zeros(1)
    while True:
        clock[0] = (time.time() - start) / (args.minutes * 60)
        dist.broadcast(clock, 0)
        part = float(clock[0])
        if part >= 1:
            break
        for g in opt.param_groups:
            g["lr"] = rate(args.lr, step, part)
        x, quads, kinds = data.batch(args.batch, min(1.0, 0.4 + 0.6 * part * 5))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = ddp(torch.from_numpy(x).to(memory_format=torch.channels_last))
        ce, corner = losses(out, quads, kinds)
        opt.zero_grad(set_to_none=True)
        (0.3 * ce + 12 * corner).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        step += 1
        seen += args.batch * world
        follow(ema, model, step)
        sums += [ce.item(), corner.item(), 1]
        if rank == 0 and time.time() - last_log > 20:
            last_log = time.time()
            print(f"{part * args.minutes:5.1f} min {seen} views kind {sums[0] / sums[2]:.3f} corner {sums[1] / sums[2]:.4f} {seen / (time.time() - start):.0f}/s", flush=True)
            sums[:] = 0
        if rank == 0 and time.time() - last_save > 60:
            last_save = time.time()
            save(model, ema, args.out, seen)
    if rank == 0:
        save(model, ema, args.out, seen)
        print(f"done: {seen} views in {args.minutes} min", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=15)
    ap.add_argument("--batch", type=int, default=64, help="per process")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--photos", help="folder with boxes.csv and pictures (permissively licensed)")
    ap.add_argument("--out", default="aligner.pt")
    ap.add_argument("--init")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--world", type=int, default=2)
    ap.add_argument("--port", type=int, default=29535)
    args = ap.parse_args()
    torch.multiprocessing.spawn(train, (args.world, args), nprocs=args.world)
