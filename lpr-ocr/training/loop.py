"""What the three trainers share: processes that exchange gradients, the averaged weights, the learning rate, checkpoints."""
import math
import os

import torch
import torch.distributed as dist


def begin(rank, world, args):
    """One single-thread process of `world`; gradients go over gloo on args.port."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(args.port))
    dist.init_process_group("gloo", rank=rank, world_size=world)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)


def rate(peak, step, part):
    """Learning rate: 150 steps of warm-up, then a cosine to the end; `part` = 0..1 of the time spent."""
    return peak * min(1, (step + 1) / 150) * (0.5 + 0.5 * math.cos(math.pi * part)) + 1e-6


def average_of(model):
    return {k: v.detach().clone().float() for k, v in model.state_dict().items()}


def follow(ema, model, step):
    """The average after `step` steps follows the weights, quickly at first."""
    decay = min(0.998, step / (10 + step))
    with torch.no_grad():
        for k, v in model.state_dict().items():
            ema[k].lerp_(v.float(), 1 - decay)


def save(model, ema, path, seen):
    """A checkpoint, whole or not at all: raw weights to go on from, averaged ones to export."""
    ref = model.state_dict()
    torch.save({"raw": ref, "ema": {k: v.to(ref[k].dtype) for k, v in ema.items()}, "seen": seen}, path + ".new")
    os.replace(path + ".new", path)
