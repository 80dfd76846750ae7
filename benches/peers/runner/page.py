"""The page that the figures are published on."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path
from statistics import median

from .peers import ROOT
from .plot import bars

HEAD = """\
# Benchmarks

Written by `{command}`, which builds and runs all of this again.

- A figure is the median of {rounds}, in parentheses the least and the most. In a round every peer had its turn, one
  after the other, and each program's result was checked before its time counted.
- A ratio is kettle / peer: the median of the rounds' ratios, with its 95 % confidence interval (bootstrap). Below 1
  kettle took less; for requests/s, above 1 kettle answered more. **Bold**: kettle is ahead, and the interval does not
  reach 1.
- Server and load share the machine's cores, and the load is often the limit: the CPU for a request says more than the
  requests per second.
"""


def number(value):
    """Three figures that count."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def shown_ratio(ratio, metric):
    if ratio is None:
        return ""
    text = f"{ratio.value:.2f}"
    return f"{f'**{text}**' if ratio.ahead(metric) else text} [{ratio.low:.2f}, {ratio.high:.2f}]"


def cell(workload, peer, metric, results):
    if results.failed(workload, peer):
        return "failed"
    rounds = results.of(workload, peer, metric)
    if not rounds:
        return ""
    text = number(median(rounds))
    if len(rounds) > 1:
        text += f" ({number(min(rounds))} to {number(max(rounds))})"
    ratio = shown_ratio(results.ratio(workload, peer, metric), metric)
    return f"{text}<br>{ratio}" if ratio else text


def table(workload, peers, results):
    """A column for each peer: the median, the extremes, and below them kettle / peer."""
    columns = [peer for peer in peers if peer.name in workload.peers]
    lines = ["| | " + " | ".join(peer.name for peer in columns) + " |", "| --- |" + " --- |" * len(columns)]
    for metric in workload.metrics:
        title = metric.title if metric.unit == "1/s" else f"{metric.title}, {metric.unit}"
        cells = [cell(workload, peer, metric, results) for peer in columns]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sizes(workload, results):
    """The options in words; what is a peer's own, and the open loop's rate."""
    text = ", ".join(f"{name} {value:,}" for name, value in workload.options.items())
    for peer, options in workload.own.items():
        if peer not in workload.peers:
            continue
        text += f"; for {peer} " + ", ".join(f"{name} {value:,}" for name, value in options.items())
    rate = results.rates.get(workload.name)
    return text + (f"; the open loop's rate {rate:,}/s" if rate else "")


def section(workload, peers, results):
    text = f"### {workload.title}\n\n`{workload.name}`: {workload.what} ({sizes(workload, results)})\n"
    text += f"\n{table(workload, peers, results)}\n"
    for peer in peers:
        why = results.failures.get((workload.name, peer.name))
        if why:
            text += f"\n{peer.name} {why}.\n"
    return text


def best(workload, metric, peers, results):
    """The peer that is best at it, kettle aside."""
    others = [(median(rounds), peer) for peer in peers
              if peer.name != "kettle" and (rounds := results.of(workload, peer, metric))]
    choose = max if metric.more_is_better else min
    return choose(others, key=lambda it: it[0])[1] if others else None


def summary(workloads, peers, results):
    lines = ["| workload | | kettle | best peer | its figure | kettle / it |", "| --- | --- | --- | --- | --- | --- |"]
    kettle = next((peer for peer in peers if peer.name == "kettle"), None)
    for workload in workloads:
        for metric in workload.metrics:
            ours = results.of(workload, kettle, metric) if kettle else []
            peer = best(workload, metric, peers, results)
            if not ours or not peer:
                continue
            theirs = results.of(workload, peer, metric)
            unit = "" if metric.unit == "1/s" else f" {metric.unit}"
            ratio = shown_ratio(results.ratio(workload, peer, metric), metric)
            lines.append(f"| `{workload.name}` | {metric.title} | {number(median(ours))}{unit} | {peer.name} | "
                         f"{number(median(theirs))}{unit} | {ratio} |")
    return "\n".join(lines)


def picture(workloads, peers, results):
    """The first metric of each workload beside the best peer's, turned so that less is better; None without any."""
    rows = []
    for workload in workloads:
        metric = workload.metrics[0]
        peer = best(workload, metric, peers, results)
        ratio = peer and results.ratio(workload, peer, metric)
        if ratio:
            rows.append((f"{workload.name}: {metric.title}", peer.name, ratio.turned() if metric.more_is_better else ratio))
    return bars(rows) if rows else None


def output(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10).stdout.strip()
    except OSError:
        return ""


def machine(load_average):
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / (1 << 20)
    commit = output("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    if output("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "asm", "benches", "Cargo.toml"):
        commit += ", with changes that are in no commit"
    rows = [
        ("machine", f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("commit", commit),
        ("date", datetime.date.today().isoformat()),
        ("load average before the start", f"{load_average:.2f}"),
    ]
    return rows


def write(workloads, peers, skipped, results, rounds, load_average, command, image):
    rows = machine(load_average) + [(peer.name, peer.version) for peer in peers]
    text = HEAD.format(rounds=f"{rounds} round{'s' if rounds > 1 else ''}", command=command)
    text += "\n## Where and what\n\n| | |\n| --- | --- |\n" + "\n".join(f"| {a} | {b} |" for a, b in rows) + "\n"
    if skipped:
        text += "\nNot run here:\n\n"
        text += "".join(f"- {name}: {why.splitlines()[0]}\n" for name, why in skipped.items())
    text += "\n## In short: kettle and the best peer at each\n\n" + summary(workloads, peers, results) + "\n"
    if image:
        text += f"\n![the first line of each workload, as bars]({image})\n"
    text += "\n## All of it\n"
    for workload in workloads:
        text += "\n" + section(workload, peers, results)
    return text
