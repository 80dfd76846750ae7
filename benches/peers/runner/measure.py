"""Runs one program once, within a time limit, and checks its result before its figures count."""

import json
import os
import resource
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

from .peers import HERE, LOAD


class Failed(Exception):
    """A run that has no figures: a wrong result, an error, or the time limit."""


def kill(process):
    """Ends a program and whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def start(command):
    return subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def output(command, limit):
    """The JSON that a program prints."""
    process = start(command)
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failed(f"has not ended within {limit} s") from None
    finally:
        if process.poll() is None:
            kill(process)
    if process.returncode:
        raise Failed(f"has ended with {process.returncode}: {err.strip()[-300:]}")
    try:
        return json.loads(out)
    except ValueError:
        raise Failed(f"has printed {out[:200]!r}, which is no line of JSON") from None


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def program(peer, workload, options, limit):
    before = children_cpu()
    found = output(peer.command(workload.program, options), limit)
    found["cpu_seconds"] = children_cpu() - before
    expected = workload.expected(options)
    if found.pop("result") != expected:
        raise Failed(f"has come to a wrong result: {expected} is right")
    return found


def free_port():
    """One that nobody listens on, below those that connections are given as their own."""
    for port in range(7000, 30_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                probe.close()
                with socket.socket() as trial:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    trial.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no port is free")


@contextmanager
def server(peer, workload, options):
    """A server that listens. Ended, with all it has started, whatever happens."""
    address = ("127.0.0.1", free_port())
    listen = f"{address[0]}:{address[1]}"
    process = start(peer.command(workload.program, {"workers": options["workers"], "listen": listen}))
    # Who does not read a server's output must not let it fill the pipe; these say a line at most.
    try:
        end = time.monotonic() + 10
        while True:
            if process.poll() is not None:
                raise Failed(f"the server has ended: {process.stderr.read().strip()[-300:]}")
            try:
                socket.create_connection(address, timeout=1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise Failed("the server does not listen") from None
                time.sleep(0.01)
        yield process.pid, address
        if process.poll() is not None:
            raise Failed(f"the server has ended: {process.stderr.read().strip()[-300:]}")
    finally:
        kill(process)
        process.stdout.close()
        process.stderr.close()


def load(address, pid, connections, requests, limit, *more):
    """The load's figures. It has compared every byte; that all were answered is checked here."""
    found = output([LOAD, "--connect", f"{address[0]}:{address[1]}", "--server", pid, "--connections", connections,
                    "--requests", requests, *more], limit)
    if found.pop("result") != requests:
        raise Failed("not every request was answered")
    return found


def echo(peer, workload, options, limit, rate):
    """Both loops, one after the other, on the same server. Without a rate the closed one alone."""
    connections = options["connections"]
    with server(peer, workload, options) as (pid, address):
        found = load(address, pid, connections, options["requests"], limit)
        if rate:
            requests = max(connections, int(rate * options["open_ms"] / 1000))
            open_loop = load(address, pid, connections, requests, limit, "--rate", rate)
            found.update({f"open_{name}": value for name, value in open_loop.items()})
    return found


def mixed(peer, workload, options, limit):
    with server(peer, workload, options) as (pid, address):
        return load(address, pid, options["connections"], options["requests"], limit, "--rate", options["rate"],
                    "--burn-every", 10)


def cpu_clock(pid):
    """Nanoseconds of CPU that another process has used: its clock's number, as the kernel's headers make it."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def ask(address):
    """One request by hand: wrk does not look into what it gets."""
    with socket.create_connection(address, timeout=5) as stream:
        stream.sendall(b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        stream.settimeout(1)
        answer = b""
        try:
            while not answer.endswith(b"Hello, World!"):
                got = stream.recv(4096)
                if not got:
                    break
                answer += got
        except TimeoutError:
            pass
    if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"\r\n\r\nHello, World!"):
        raise Failed(f"has answered {answer[:200]!r}")


def http(peer, workload, options, limit):
    with server(peer, workload, options) as (pid, address):
        ask(address)
        before = cpu_clock(pid)
        # wrk reads its duration in whole seconds.
        command = ["wrk", "--threads", 1, "--connections", options["connections"], "--duration",
                   f"{options['ms'] // 1000}s", "--script", HERE / "wrk" / "report.lua",
                   f"http://{address[0]}:{address[1]}/plaintext", "--", options["depth"]]
        process = start(command)
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"wrk has not ended within {limit} s") from None
        finally:
            if process.poll() is None:
                kill(process)
        cpu = cpu_clock(pid) - before
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise Failed(f"wrk has failed: {(err or out).strip()[-300:]}")
    found = json.loads(lines[-1])
    if found["errors"] or not found["requests"]:
        raise Failed(f"{found['errors']} errors in {found['requests']} requests")
    return {"per_second": found["requests"] / found["seconds"], "cpu_us": cpu / 1000 / found["requests"],
            "p50_us": found["p50_us"], "p99_us": found["p99_us"]}
