"""The workloads: what is run, who takes part, what must come out, and what is read off it."""

import os
from dataclasses import dataclass, field, replace

CORES = os.cpu_count()


@dataclass
class Metric:
    name: str
    unit: str
    title: str
    more_is_better: bool = False


NS = Metric("ns", "ns", "time for each")
SECONDS = Metric("seconds", "s", "time")
CPU_SECONDS = Metric("cpu_seconds", "s", "CPU")
PEAK = Metric("peak_mib", "MiB", "peak of resident memory")

PER_SECOND = Metric("per_second", "1/s", "requests/s", more_is_better=True)
CPU = Metric("cpu_us", "us", "server's CPU per request")


def latencies(prefix, title):
    return [Metric(f"{prefix}{name}_us", "us", f"{title}{shown}")
            for name, shown in [("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")]]


@dataclass
class Workload:
    name: str
    title: str
    what: str
    kind: str  # how it is measured: "program", "echo", "mixed" or "http"
    program: str  # what the programs call it
    peers: list
    options: dict
    expected: object  # the result that proves the work, from the options
    metrics: list
    quick: dict = field(default_factory=dict)  # options of the short form
    grows: list = field(default_factory=list)  # options, of which the first names the size
    own: dict = field(default_factory=dict)  # a peer's own options: fewer of the same, for one that is slow

    def options_of(self, peer):
        return {**self.options, **self.own.get(peer, {})}

    def shortened(self):
        return replace(self, options={**self.options, **self.quick})

    def grown(self):
        """The same at other sizes; without the peers on OS threads, which do not grow as far."""
        peers = [name for name in self.peers if name not in ("crossbeam", "threads")]
        for options in self.grows:
            option, value = next(iter(options.items()))
            quick = {name: size for name, size in self.quick.items() if name not in options}
            yield replace(self, name=f"{self.name}/{option}={value}", title=f"{self.title}: {option} {value:,}",
                          peers=peers, options={**self.options, **options}, quick=quick)


def sum_below(count):
    return count * (count - 1) // 2


ASYNC = ["kettle", "tokio", "may", "go"]
STACKS = [*ASYNC, "boost_fiber"]
MILLIONS = ["kettle", "tokio", "go"]


def sizes(option, *values):
    return [{option: value} for value in values]


def on_workers(workers):
    return f"{workers} worker{'s' if workers > 1 else ''}"


def echo(connections, workers, requests, quick):
    peers = ["kettle", "epoll", "tokio", "may", "go"]
    alone = workers != CORES
    return Workload(
        f"echo-{connections}" + (f"-w{workers}" if alone else ""),
        f"TCP echo, {connections:,} connection{'s' if connections > 1 else ''}, {on_workers(workers)}",
        "64 bytes each way. The closed loop asks again as soon as it is answered; the open one asks at half the rate "
        "that the server in C reaches in the closed one, and counts latency from when a request was due.",
        "echo", "echo", peers if alone else [*peers, "threads"],
        {"workers": workers, "connections": connections, "requests": requests, "open_ms": 800},
        lambda options: options["requests"],
        [CPU, PER_SECOND, *latencies("", "closed "), Metric("open_cpu_us", "us", "open CPU per request"),
         *latencies("open_", "open ")],
        quick={"requests": quick, "open_ms": 250})


def ping_pong(workers):
    return Workload(
        f"ping-pong-{workers}", f"Channel ping-pong, {on_workers(workers)}",
        "A round trip of a message between two, over two channels that hold one (Go's: none; may's: any number).",
        "program", "ping-pong", STACKS if workers == 1 else [*ASYNC, "crossbeam", "threads"],
        {"workers": workers, "count": 500_000},
        lambda options: sum_below(options["count"] + 1), [NS], quick={"count": 100_000},
        own={} if workers == 1 else {name: {"count": 20_000} for name in ["crossbeam", "threads"]})


def fan_in(workers, capacity):
    if capacity:
        peers = [name for name in STACKS if name != "may" and (workers == 1 or name != "boost_fiber")]
    else:
        peers = ["kettle", "tokio", "may"]
    return Workload(
        f"fan-in-{workers}" + ("" if capacity else "-unbounded"),
        f"Fan-in, 1,000 senders, {'bounded' if capacity else 'unbounded'}, {on_workers(workers)}",
        f"A message through one channel {f'that holds {capacity:,}' if capacity else 'that holds any number'}, from "
        "1,000 senders of 1,000 messages to one receiver; their spawns are in it.",
        "program", "fan-in", peers if workers == 1 else [*peers, "crossbeam", "threads"],
        {"workers": workers, "senders": 1000, "each": 1000, "capacity": capacity},
        lambda options: options["senders"] * sum_below(options["each"]), [NS], quick={"each": 200},
        own={"crossbeam": {"each": 200}, "threads": {"each": 100}},
        grows=sizes("senders", 100, 1000, 10_000) if workers == CORES and capacity else [])


def mutex(workers):
    return Workload(
        f"mutex-{workers}", f"A mutex under 1,000, {on_workers(workers)}",
        "Lock, count, unlock, by 1,000 in a loop of 1,000; their spawns are in it.",
        "program", "mutex", STACKS if workers == 1 else [*ASYNC, "threads"],
        {"workers": workers, "tasks": 1000, "each": 1000},
        lambda options: options["tasks"] * options["each"], [NS], quick={"each": 200},
        grows=sizes("tasks", 10, 100, 1000) if workers == CORES else [])


def spawn(name, title, program, peers, workers, outstanding, count, quick, grows=(), own=()):
    return Workload(
        name, f"{title}, {on_workers(workers)}",
        f"Spawn, run and join, {outstanding:,} outstanding at a time; a value comes back from each.",
        "program", program, peers, {"workers": workers, "count": count, "outstanding": outstanding},
        lambda options: sum_below(options["count"]), [NS], quick={"count": quick}, grows=list(grows), own=dict(own))


def yields(tasks, workers):
    """On several workers may is left out: now and then there who yields keeps who has not begun from it, for good."""
    each = 1_000_000 // tasks
    return Workload(
        f"yield-{tasks}-w{workers}", f"Scheduled yield, {tasks:,}, {on_workers(workers)}",
        "One yield, which lets the next in the queue run; all have begun when the clock starts.",
        "program", "yield", STACKS if workers == 1 else MILLIONS, {"workers": workers, "tasks": tasks, "each": each},
        lambda options: options["tasks"] * options["each"], [NS], quick={"each": each // 5},
        grows=[{"tasks": n, "each": 1_000_000 // n} for n in (10, 100, 1000, 10_000)]
        if tasks == 1000 and workers == 1 else [])


def http(depth):
    return Workload(
        "http" if depth == 1 else "http-pipelined",
        "HTTP plaintext, 256 connections" + ("" if depth == 1 else f", {depth} requests deep"),
        "`wrk` on one thread asks as soon as it is answered.",
        "http", "http", ["kettle", "hyper", "may_minihttp", "go"],
        {"workers": CORES, "connections": 256, "depth": depth, "ms": 1000}, None,
        # wrk's latencies are a batch's where there are several in one.
        [CPU, PER_SECOND, *(latencies("", "")[:2] if depth == 1 else [])], quick={"ms": 1000})


WORKLOADS = [
    echo(1, CORES, 10_000, 3000),
    echo(100, CORES, 60_000, 15_000),
    echo(1000, CORES, 60_000, 15_000),
    echo(1000, 1, 60_000, 15_000),
    ping_pong(1),
    ping_pong(2),
    fan_in(1, 1024),
    fan_in(2, 1024),
    fan_in(1, 0),
    fan_in(2, 0),
    mutex(1),
    mutex(2),
    Workload("skynet", f"Skynet, a million leaves, {on_workers(CORES)}",
             "A tree of 1,111,111, each with ten children; the sum of the leaves comes back up.",
             "program", "skynet", MILLIONS, {"workers": CORES, "leaves": 1_000_000},
             lambda options: sum_below(options["leaves"]), [SECONDS, PEAK], quick={"leaves": 100_000},
             grows=sizes("leaves", 10_000, 100_000, 1_000_000)),
    Workload("sleepers", f"A million sleepers, {on_workers(CORES)}",
             "Each sleeps for up to a second; from the first spawn to the last join, of which at least one second has to pass.",
             "program", "sleepers", MILLIONS, {"workers": CORES, "count": 1_000_000},
             lambda options: options["count"], [SECONDS, CPU_SECONDS, PEAK], quick={"count": 200_000},
             grows=sizes("count", 10_000, 100_000, 1_000_000)),
    spawn("spawn-one", "Spawn and join, one at a time", "spawn-join", STACKS, 1, 1, 500_000, 100_000),
    spawn("spawn-batch-1", "Spawn and join, in batches", "spawn-join", STACKS, 1, 10_000, 500_000, 100_000,
          grows=sizes("outstanding", 100, 1000, 10_000, 100_000)),
    spawn("spawn-batch-2", "Spawn and join, in batches", "spawn-join", [*ASYNC, "threads"], 2, 10_000, 100_000, 20_000,
          own={"threads": {"count": 10_000}}),
    spawn("spawn-outside", "Spawn and join from a thread outside", "spawn-outside", ["kettle", "tokio", "may"], 2,
          10_000, 100_000, 20_000),
    yields(2, 1),
    yields(1000, 1),
    yields(1000, 2),
    Workload("switch", "Raw switch", "From one stack to another, without a scheduler: half of a resume and a suspend.",
             "program", "switch", ["kettle", "corosensei", "generator", "boost_context"], {"count": 20_000_000},
             lambda options: sum_below(options["count"] + 1), [NS], quick={"count": 5_000_000}),
    Workload("parked", f"A million parked, {on_workers(CORES)}",
             "Each is spawned, waits, is woken by itself and joined. The bytes are resident memory and page tables.",
             "program", "parked", MILLIONS, {"workers": CORES, "count": 1_000_000},
             lambda options: sum_below(options["count"] + 1),
             [Metric("spawn_seconds", "s", "until all wait"), Metric("wake_seconds", "s", "wake and join"),
              Metric("bytes", "B", "memory of each")], quick={"count": 200_000},
             grows=sizes("count", 10_000, 100_000, 1_000_000)),
    Workload("parked-64k", f"A million parked, kettle's with a stack of 64 KiB, {on_workers(CORES)}",
             "As `parked`, where kettle's stacks are the 1 MiB of address space that is its default: what a smaller "
             "one saves is page tables.",
             "program", "parked", ["kettle", "go"], {"workers": CORES, "count": 1_000_000},
             lambda options: sum_below(options["count"] + 1),
             [Metric("spawn_seconds", "s", "until all wait"), Metric("wake_seconds", "s", "wake and join"),
              Metric("bytes", "B", "memory of each")], quick={"count": 200_000},
             own={"kettle": {"stack-size": 64 << 10}}),
    http(1),
    http(16),
    Workload("mixed", f"Echo, 1,000 connections, one request in ten computes for 1 ms, {on_workers(CORES)}",
             "An open loop of 4,000 requests/s. The latencies are those of the other nine.",
             "mixed", "echo", ["kettle", "epoll", "tokio", "may", "go", "threads"],
             {"workers": CORES, "connections": 1000, "rate": 4000, "requests": 4000},
             lambda options: options["requests"], [latencies("", "")[i] for i in (1, 2, 0)], quick={"requests": 2000}),
]

GROWTH = [grown for workload in WORKLOADS for grown in workload.grown()]
GROWTH += [replace(echo(connections, CORES, 60_000, 30_000), name=f"echo/connections={connections}",
                   peers=["kettle", "epoll", "tokio", "may", "go"]) for connections in (10, 100, 1000, 10_000)]
