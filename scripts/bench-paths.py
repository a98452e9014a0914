"""The same passes by pm4py's token replay, one trace at a time, against the same paths as a Petri net.

    bench-paths.py LOG.csv SITE.toml EVENTS_PER_SECOND
"""
import csv
import sys
import time
import tomllib
from collections import defaultdict

from pm4py.algo.conformance.tokenreplay import algorithm as token_replay
from pm4py.objects.log.obj import Event, EventLog, Trace
from pm4py.objects.petri_net.obj import Marking, PetriNet
from pm4py.objects.petri_net.utils.petri_utils import add_arc_from_to


def net_of(process):
    """A process's paths as one tree-shaped net."""
    net, tree = PetriNet(process["id"]), {}
    start, end = PetriNet.Place("start"), PetriNet.Place("end")
    net.places.update((start, end))
    for path in process["paths"]:
        at, before = tree, start
        for k, name in enumerate(path["legs"]):
            leg = process["legs"][name]
            if name not in at:
                last = k + 1 == len(path["legs"])
                step = PetriNet.Transition(f"{path['id']}/{k}", f"{leg['node']}-{leg['direction']}")
                after = end if last else PetriNet.Place(f"{path['id']}/{k}")
                net.transitions.add(step)
                net.places.add(after)
                add_arc_from_to(before, step, net)
                add_arc_from_to(step, after, net)
                at[name] = ({}, after)
            at, before = at[name]
    return net, Marking({start: 1}), Marking({end: 1})


log, site, ours = sys.argv[1], sys.argv[2], float(sys.argv[3])
with open(site, "rb") as f:
    nets = {p["id"]: net_of(p) for p in tomllib.load(f)["process"]}
traces, process_of = defaultdict(Trace), {}
with open(log, newline="") as f:
    for row in csv.DictReader(f):
        traces[row["case"]].append(Event({"concept:name": row["activity"]}))
        process_of[row["case"]] = row["process"]
begin, events, fits = time.perf_counter(), 0, 0
for case, trace in traces.items():
    net, initial, final = nets[process_of[case]]
    told = token_replay.apply(EventLog([trace]), net, initial, final,
                              parameters={"show_progress_bar": False})[0]
    fits += told["trace_is_fit"]
    events += len(trace)
theirs = events / (time.perf_counter() - begin)
print(f"pm4py token replay, one trace at a time: {len(traces)} missions, {len(traces) - fits} not fit: {theirs:.0f} events/s; "
      f"ratio {ours / theirs:.0f} (bar 40)")
