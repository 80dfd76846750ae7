"""Commands for gdb that know of kettle's coroutines, in a live process and in a core file.

    (gdb) source gdb/kettle.py
    (gdb) kettle coroutines          who there is, in what state, on which worker
    (gdb) kettle backtrace 7         where coroutine 7 waits; also by its address, or `all`

They read what they need off kettle's own debug information, so kettle must have been built with some
(`debug = true` in the profile; for the list nothing less will do). Listed are coroutines that have waited or
yielded at least once, and those that are running; one that has not begun is in a queue and has no stack.

Coroutines get a number when it is first asked for (Thread::id, Debug, a panic's report): one without has its
address only. A core file must be one of the kernel's: gdb's own `gcore` does not save stacks whose guards are
kept in the page tables (Linux 6.13 and later).
"""

import re

import gdb
from gdb.unwinder import Unwinder, register_unwinder

WORKER = "kettle::scheduler::worker::Worker"
REASON = "kettle::task::wait_reason::WaitReason"

# Wrappers around one thing: cells, atomics, locks, non-null pointers, padding, tuple structs of one.
WRAPPED = ["value", "v", "p", "pointer", "__0"]


def inner(value):
    """What a value is, without what is wrapped around it."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        names = [field.name for field in value.type.fields()]
        name = next((name for name in WRAPPED if name in names), None)
        if name is None:
            break
        value = value[name]
    return value


def find(value, *names):
    """Follows the fields `names`, and pointers on the way."""
    for name in names:
        value = inner(value)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            value = value.dereference()
        value = value[name]
    return inner(value)


def option(value):
    """What is in an `Option`, or None."""
    value = inner(value)
    for field in value.type.fields():
        if field.name == "Some":
            return inner(value[field])
    return None


class Missing(gdb.GdbError):
    pass


def in_rust(f):
    """Calls `f` with gdb's language set to Rust."""
    language = gdb.parameter("language")
    gdb.execute("set language rust", to_string=True)
    try:
        return f()
    finally:
        gdb.execute(f"set language {language}", to_string=True)


def lookup(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        raise Missing(f"there is no debug information of kettle's here ({name} is unknown)")


def workers():
    """Each worker, as it is in its thread's word, with its thread."""
    symbols = gdb.execute("info variables kettle_thread_word_", to_string=True)
    words = sorted(set(re.findall(r"kettle_thread_word_\w+", symbols)))
    if not words:
        raise Missing("there is no kettle in this program")
    if len(words) > 1:
        print(f"note: there are several kettles in this program; this is about the one of {words[0]}")
    pointer = lookup(WORKER).pointer()
    selected = gdb.selected_thread()
    if selected is None:
        raise Missing("the program is not running; start it, or load a core file")
    found = []
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            # Rust would not do arithmetic with what has no type.
            language = gdb.parameter("language")
            gdb.execute("set language c", to_string=True)
            try:
                word = gdb.parse_and_eval(f"*(unsigned long *)&{words[0]}")
            except gdb.error as error:
                print(f"note: thread {thread.num} does not tell whether it is a worker: {error}")
                continue
            finally:
                gdb.execute(f"set language {language}", to_string=True)
            if int(word):
                found.append((word.cast(pointer).dereference(), thread))
    finally:
        selected.switch()
    return found


class Coroutine:
    def __init__(self, header, thread):
        self.header = header
        # The thread that runs it now, if one does.
        self.thread = thread

    address = property(lambda self: int(self.header.address))
    number = property(lambda self: int(find(self.header, "id")))
    stack_pointer = property(lambda self: int(find(self.header, "context", "stack_pointer")))

    def name(self):
        name = option(self.header["name"])
        if name is None:
            return "<unnamed>"
        data, length = name["data_ptr"], int(name["length"])
        return bytes(gdb.selected_inferior().read_memory(int(data), length)).decode("utf-8", "replace")

    def reason(self):
        reasons = {field.enumval: field.name.rsplit("::")[-1] for field in lookup(REASON).fields()}
        # Higher bits than those of the reasons are no part of it.
        mask = (1 << max(reasons).bit_length()) - 1
        return reasons.get(int(find(self.header, "reason")) & mask, "?")

    def state(self):
        if self.thread is not None:
            return "running"
        return "ready" if self.reason() == "None" else "waiting"

    def worker(self):
        home = find(self.header, "home")
        return "-" if int(home) == (1 << 8 * home.type.sizeof) - 1 else str(int(home))


def coroutines():
    """All coroutines that can be found, each once."""
    running, runtimes = {}, {}
    for worker, thread in workers():
        task = option(worker["local"]["task"])
        if task is not None:
            running[int(task)] = (task.dereference(), thread)
        runtime = find(worker, "shared", "ptr").dereference()["data"]
        runtimes[int(runtime.address)] = runtime
    found = {}
    for runtime in runtimes.values():
        remotes = runtime["remotes"]
        rosters = [inner(remotes["data_ptr"][n])["roster"] for n in range(int(remotes["length"]))]
        for roster in rosters + [runtime["migratable"]]:
            task = find(roster, "listed", "tasks", "first")
            while int(task):
                if int(task) in found:
                    print("note: a list of coroutines is being changed and may be incomplete")
                    break
                _, thread = running.get(int(task), (None, None))
                found[int(task)] = Coroutine(task.dereference(), thread)
                task = find(task, "links", "next")
    for address, (header, thread) in running.items():
        found.setdefault(address, Coroutine(header, thread))
    return list(found.values())


class ParkedFrames(Unwinder):
    """While it has been told of a suspended stack, gives the registers that lie there for those of whoever called
    the selected thread's innermost frame: so gdb shows that stack from frame 1 on. Nothing is written, which
    in a core file would not be possible."""

    def __init__(self):
        super().__init__("kettle")
        self.innermost = None
        self.registers = None

    def __call__(self, frame):
        if self.registers is None:
            return None
        name = stack_pointer_name(frame.architecture())
        if int(frame.read_register(name)) != self.innermost:
            return None
        # An identity further down than the stack's own frames, or gdb would call the stack corrupt.
        unsigned = gdb.lookup_type("u64" if gdb.parameter("language") == "rust" else "unsigned long")
        identity = Identity(gdb.Value(self.registers[name] - 4096).cast(unsigned), frame.read_register("pc"))
        info = frame.create_unwind_info(identity)
        for register, value in self.registers.items():
            info.add_saved_register(register, gdb.Value(value).cast(unsigned))
        return info

    def backtrace(self, stack_pointer):
        frame = gdb.newest_frame()
        architecture = frame.architecture()
        self.innermost = int(frame.read_register(stack_pointer_name(architecture)))
        self.registers = suspended_registers(architecture, stack_pointer)
        gdb.invalidate_cached_frames()
        try:
            lines = gdb.execute("backtrace", to_string=True).splitlines()
        finally:
            self.registers = None
            gdb.invalidate_cached_frames()
        # Frame 0 is the thread's.
        start = next((n for n, line in enumerate(lines) if line.startswith("#1 ")), len(lines))
        renumber = lambda match: f"#{int(match.group(1)) - 1}".ljust(len(match.group(0)))
        return [re.sub(r"^#(\d+)", renumber, line) for line in lines[start:]]


class Identity:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


def stack_pointer_name(architecture):
    return "sp" if architecture.name().startswith("aarch64") else "rsp"


def suspended_registers(architecture, stack_pointer):
    """The registers on a suspended stack; drawn in asm/<architecture>/switch.s."""

    def word(offset):
        memory = gdb.selected_inferior().read_memory(stack_pointer + offset, 8)
        return int.from_bytes(bytes(memory), "little")

    if architecture.name().startswith("aarch64"):
        return {"sp": stack_pointer + 32, "x29": word(0), "pc": word(8), "x19": word(16)}
    return {"rsp": stack_pointer, "rbp": word(-8), "rbx": word(-16), "rip": word(-24)}


class Kettle(gdb.Command):
    """What kettle's coroutines do."""

    def __init__(self):
        super().__init__("kettle", gdb.COMMAND_STACK, prefix=True)


class Coroutines(gdb.Command):
    """Lists kettle's coroutines: number, address, state, worker, what for, name."""

    def __init__(self):
        super().__init__("kettle coroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        in_rust(self.list)

    def list(self):
        row = "{:>6}  {:<18}  {:<8} {:>6}  {:<12} {}"
        print(row.format("number", "address", "state", "worker", "waits for", "name"))
        for one in coroutines():
            number = one.number or "-"
            waits = one.reason() if one.state() == "waiting" else ""
            print(row.format(number, hex(one.address), one.state(), one.worker(), waits, one.name()))


class Backtrace(gdb.Command):
    """Shows where a coroutine waits: kettle backtrace NUMBER | ADDRESS | all."""

    def __init__(self):
        super().__init__("kettle backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        in_rust(lambda: self.show(argument.strip()))

    def show(self, argument):
        all = coroutines()
        if argument != "all":
            try:
                wanted = int(argument, 0)
            except ValueError:
                raise gdb.GdbError("usage: kettle backtrace NUMBER | ADDRESS | all, as in `kettle coroutines`")
            all = [one for one in all if wanted and wanted in (one.number, one.address)]
            if not all:
                raise gdb.GdbError(f"no coroutine {argument} is listed; see `kettle coroutines`")
        for one in all:
            print(f"coroutine {one.number or hex(one.address)} '{one.name()}', {one.state()}:")
            if one.thread is not None:
                selected = gdb.selected_thread()
                one.thread.switch()
                print(gdb.execute("backtrace", to_string=True), end="")
                selected.switch()
            else:
                print("\n".join(FRAMES.backtrace(one.stack_pointer)))


FRAMES = ParkedFrames()
register_unwinder(None, FRAMES, replace=True)
Kettle()
Coroutines()
Backtrace()
