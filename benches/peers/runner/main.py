"""The command line, and the order in which everything runs."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from . import measure, page, peers as peers_, workloads as workloads_
from .figures import Results
from .peers import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"

CLEAR = "\r\x1b[K" if sys.stderr.isatty() else ""

HELP = f"""\
Builds kettle and its peers, as far as the machine has what they need, runs every workload with all of them in turn,
round by round, and writes {PAGE.relative_to(ROOT)}. What is narrowed is only printed. Let the machine do nothing else.

exit code: 1 if anything that ran has failed or come to a wrong result, 2 for options that cannot be."""


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def parse():
    known = workloads_.WORKLOADS + workloads_.GROWTH
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=HELP,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", metavar="NAME",
                        help="only this one, or those that begin so and go on with '-'; may be repeated")
    parser.add_argument("--peer", action="append", metavar="NAME",
                        help="only kettle and this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything runs (5)")
    parser.add_argument("--quick", action="store_true", help="smaller sizes: three minutes instead of twelve")
    parser.add_argument("--growth", action="store_true", help="the workloads at several sizes, and nothing else")
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS", help="how long one program may run (60)")
    parser.add_argument("--json", action="store_true", help="print an object a line for each figure instead of tables")
    parser.add_argument("--output", metavar="FILE", help="write the page there, and its picture beside it, also where the run is narrowed")
    parser.add_argument("--list", action="store_true", help="name the workloads and the peers, and do nothing")
    options = parser.parse_args()
    if options.list:
        for workload in known:
            print(f"{workload.name}: {', '.join(workload.peers)}")
        sys.exit()
    if options.rounds < 1:
        parser.error("--rounds: one at least")
    chosen = workloads_.GROWTH if options.growth else workloads_.WORKLOADS
    if options.workload:
        chosen = [workload for workload in known
                  if workload.name in options.workload
                  or workload in chosen and workload.name.startswith(tuple(f"{name}-" for name in options.workload))]
        if not chosen:
            parser.error("--workload: there is none of that name; --list names them")
    names = [peer.name for peer in peers_.PEERS]
    for name in options.peer or []:
        if name not in names:
            parser.error(f"--peer {name}: the peers are {', '.join(names)}")
    if options.quick:
        chosen = [workload.shortened() for workload in chosen]
    return options, chosen


def run_one(workload, peer, limit, rate):
    options = workload.options_of(peer.name)
    if workload.kind == "echo":
        return measure.echo(peer, workload, options, limit, rate)
    if workload.kind == "mixed":
        return measure.mixed(peer, workload, options, limit)
    if workload.kind == "http":
        return measure.http(peer, workload, options, limit)
    return measure.program(peer, workload, options, limit)


def half_the_peak(workload, taking_part, limit):
    """The open loop's rate, from a closed one that does not count: of the server in C, if it takes part."""
    peer = next((peer for peer in taking_part if peer.name == "epoll"), taking_part[0])
    return int(measure.echo(peer, workload, workload.options, limit, None)["per_second"] / 2)


def run_workload(workload, taking_part, rounds, limit, results):
    """All rounds, each beginning with another peer, so that nobody always follows the same one."""
    rate = None
    if workload.kind == "echo":
        try:
            rate = results.rates[workload.name] = half_the_peak(workload, taking_part, limit)
        except measure.Failed as error:
            say(f"  {error}: no open loop can be had without its rate")
            for peer in taking_part:
                results.fail(workload, peer, f"has no rate for its open loop: {error}")
            return
    for turn in range(rounds):
        first = turn % len(taking_part)
        for peer in taking_part[first:] + taking_part[:first]:
            if results.failed(workload, peer):
                continue
            if sys.stderr.isatty():
                say(f"\r  round {turn + 1} of {rounds}: {peer.name:<16}", end="")
            try:
                results.add(workload, peer, run_one(workload, peer, limit, rate))
            except measure.Failed as error:
                say(f"{CLEAR}  {peer.name} {error}")
                results.fail(workload, peer, str(error))
    say(CLEAR, end="")


def main():
    options, chosen = parse()
    try:
        return run(options, chosen)
    except KeyboardInterrupt:
        say(f"{CLEAR}interrupted: nothing is written")
        return 130


def run(options, chosen):
    load_average = os.getloadavg()[0]
    if load_average > 0.5 * os.cpu_count():
        say(f"the load average is {load_average:.1f}: figures from a machine that does other work mean little")
    wanted = {name for workload in chosen for name in workload.peers}
    if options.peer:
        wanted &= {"kettle", *options.peer}
    ready, skipped = peers_.build(wanted, say)
    needs = {"echo": peers_.build_load, "mixed": peers_.build_load, "http": peers_.need_wrk}
    for kind in sorted({workload.kind for workload in chosen} & set(needs)):
        try:
            needs[kind]()
        except peers_.Skipped as error:
            say(f"skipped: {error}")
            skipped[f"the workloads of the kind '{kind}'"] = str(error)
            chosen = [workload for workload in chosen if workload.kind != kind]
    results = Results()
    begin = time.monotonic()
    for number, workload in enumerate(chosen, 1):
        taking_part = [peer for peer in ready if peer.name in workload.peers]
        if not taking_part:
            continue
        minutes, seconds = divmod(int(time.monotonic() - begin), 60)
        say(f"[{minutes}:{seconds:02}] {number} of {len(chosen)}: {workload.title}")
        run_workload(workload, taking_part, options.rounds, options.limit, results)
    if options.json:
        for found in results.objects(chosen, ready):
            print(json.dumps(found))
    whole = not (options.workload or options.peer or options.quick or options.growth)
    path = Path(options.output) if options.output else PAGE if whole else None
    image = page.picture(chosen, ready, results) if path else None
    command = " ".join(["benches/peers/run", *sys.argv[1:]])
    text = page.write(chosen, ready, skipped, results, options.rounds, load_average, command,
                      path.with_suffix(".svg").name if image else None)
    if path:
        path.write_text(text)
        say(f"written: {path}")
        if image:
            path.with_suffix(".svg").write_text(image)
    elif not options.json:
        print(text)
    return 1 if results.failures or "kettle" in skipped else 0
