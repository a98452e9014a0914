"""The detector: a small fully convolutional heat-map net, and its training.

    python detector.py --minutes 25 --photos PLATE_BOXES --out detector.pt [--init old.pt]
"""
import argparse
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

from loop import average_of, begin, follow, rate, save
from reader import block

CLASSES = 6


class Detector(nn.Module):
    """[n, 1, h, w] -> [n, CLASSES + 6, h/16, w/16]; h and w multiples of 32.

    Boxes need only be rough (the aligner finds the exact text), so the maps stand at stride 16 and the early layers are thin:
    1.2 GFLOP at 832 x 480.
    """

    def __init__(self):
        super().__init__()
        self.s4 = nn.Sequential(block(1, 12, 3, 2, 1), block(12, 24, 3, 2, 1))
        self.s8 = nn.Sequential(block(24, 48, 3, 2, 1))
        self.s16 = nn.Sequential(block(48, 80, 3, 2, 1), block(80, 80, 3, 1, 1))
        wide = []
        for dilation in (1, 2, 1, 2):
            wide.append(nn.Sequential(nn.Conv2d(112, 112, 3, 1, dilation, dilation, bias=False), nn.BatchNorm2d(112), nn.ReLU(inplace=True)))
        self.s32 = nn.Sequential(block(80, 112, 3, 2, 1), *wide)
        self.up16, self.mix16 = block(112, 80, 1, 1, 0), block(80, 80, 3, 1, 1)
        self.head = nn.Conv2d(80, CLASSES + 6, 1)
        nn.init.constant_(self.head.bias[:CLASSES], -4.0)

    def forward(self, x):
        b = self.s16(self.s8(self.s4(x)))
        c = self.s32(b)
        return self.head(self.mix16(b + F.interpolate(self.up16(c), scale_factor=2.0, mode="nearest")))


def losses(maps, heat, ignore, pos):
    maps = maps.float()
    logit, heat, ignore = maps[:, :CLASSES], torch.from_numpy(heat), torch.from_numpy(ignore)[:, None]
    p = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    centre = (heat > 0.999).float()
    count = centre.sum().clamp(min=4)
    plus = -(torch.log(p) * (1 - p) ** 2 * centre).sum()
    minus = -(torch.log(1 - p) * p ** 2 * (1 - heat) ** 4 * (1 - centre) * (1 - ignore)).sum()
    focal = (plus + minus) / count
    if len(pos) == 0:
        return focal, focal * 0, focal * 0
    pos = torch.from_numpy(pos)
    n, r, c = pos[:, 0].long(), pos[:, 1].long(), pos[:, 2].long()
    at = maps[n, CLASSES:, r, c]
    weight = pos[:, 11] * torch.exp(pos[:, 5] - pos[:, 6]).div(3).clamp(1, 3)      # long boxes must be exact: a small error cuts characters
    size = ((at[:, 2:4] - pos[:, 5:7]).abs().sum(1) * weight).sum() / weight.sum()
    shift = ((at[:, 0:2] - pos[:, 3:5]).abs().sum(1) * weight).sum() / weight.sum()
    turn = ((at[:, 4:6] - pos[:, 7:9]).abs().sum(1) * weight * pos[:, 9]).sum() / (weight * pos[:, 9]).sum().clamp(min=1)
    return focal, 1.5 * size + 0.5 * shift, 1.5 * turn


def train(rank, world, args):
    begin(rank, world, args)
    from detector_data import DetectorData
    data = DetectorData(args.seed * 1000 + rank, args.photos)
    model = Detector().to(memory_format=torch.channels_last)
    if args.init:
        old, own = torch.load(args.init)["raw"], model.state_dict()
        kept = {k: v for k, v in old.items() if k in own and v.shape == own[k].shape}
        model.load_state_dict(kept, strict=False)
        if rank == 0:
            print(f"{len(kept)} of {len(own)} tensors from {args.init}", flush=True)
    ddp = nn.parallel.DistributedDataParallel(model)
    ema = average_of(model)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    start, seen, step, last_log, last_save = time.time(), 0, 0, 0.0, time.time()
    sums = np.zeros(4)
    clock = torch.zeros(1)
    while True:
        clock[0] = (time.time() - start) / (args.minutes * 60)
        dist.broadcast(clock, 0)
        part = float(clock[0])
        if part >= 1:
            break
        for g in opt.param_groups:
            g["lr"] = rate(args.lr, step, part)
        x, heat, ignore, pos = data.batch(args.batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            maps = ddp(torch.from_numpy(x).to(memory_format=torch.channels_last))
        focal, size, turn = losses(maps, heat, ignore, pos)
        opt.zero_grad(set_to_none=True)
        (focal + size + turn).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        step += 1
        seen += args.batch * world
        follow(ema, model, step)
        sums += [focal.item(), size.item(), turn.item(), 1]
        if rank == 0 and time.time() - last_log > 20:
            last_log = time.time()
            print(f"{part * args.minutes:5.1f} min {seen} pictures focal {sums[0] / sums[3]:.3f} size {sums[1] / sums[3]:.3f} turn {sums[2] / sums[3]:.3f} {seen / (time.time() - start):.0f}/s", flush=True)
            sums[:] = 0
        if rank == 0 and time.time() - last_save > 60:
            last_save = time.time()
            save(model, ema, args.out, seen)
    if rank == 0:
        save(model, ema, args.out, seen)
        print(f"done: {seen} pictures in {args.minutes} min", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--minutes", type=float, default=25)
    ap.add_argument("--batch", type=int, default=8, help="per process")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--photos", help="folder with boxes.csv and pictures (permissively licensed)")
    ap.add_argument("--out", default="detector.pt")
    ap.add_argument("--init")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--world", type=int, default=2)
    ap.add_argument("--port", type=int, default=29534)
    args = ap.parse_args()
    torch.multiprocessing.spawn(train, (args.world, args), nprocs=args.world)
