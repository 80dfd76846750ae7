//! The floor for "a million parked": what the kernel alone charges for a million guarded stacks.
//!
//! No coroutine runtime that gives each coroutine a stack can park a million of them for less than
//! it costs to install a million guards and to touch a million first pages. That is all that is
//! done here:
//!
//! ```text
//!  one mapping, MAP_NORESERVE, no huge pages
//!  +-------+--------------------+-------+--------------------+-------+----
//!  | guard |      stack 0       | guard |      stack 1       | guard | ...
//!  +-------+--------------------+-------+--------------------+-------+----
//!  low address         ^                           ^              high address
//!                      one write, in the top page of each stack
//! ```
//!
//! Why this is the fair form: one mapping means one entry in the process's table of mappings,
//! however many stacks there are. The guards are `MADV_GUARD_INSTALL` regions (Linux 6.13), which
//! do not split it. A guard and the top of the stack below it share a page of page tables, so the
//! work goes slot by slot, guard and touch together. The threads take contiguous shares, meet at a
//! barrier and each keeps its own clock: `wall` is from the first start to the last end, without
//! the threads' creation.
//!
//! Memory that the host of a virtual machine has not backed yet makes first touches several times
//! dearer, and a process that has done this once is no longer the same. So measure several times,
//! each in a process of its own: [`in_fresh_process`].
//!
//! Invariants, cited below:
//!
//! 1. A `Slots` owns its mapping, which is `count * spacing` bytes long: every slot lies inside.
//! 2. Until the threads have been joined, only the thread whose share it is in touches a slot.
//! 3. A guard region holds no data: nothing is lost when it is installed or when a probe writes.

#![allow(dead_code, reason = "each benchmark that includes this file uses its own part of it")]

use std::ops::Range;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use memmap2::{Advice, MmapOptions, MmapRaw};

/// From `linux/mman.h`; the `libc` crate does not name it yet.
const MADV_GUARD_INSTALL: libc::c_int = 102;

const CHILD_FLAG: &str = "--million-floor-child";
const CHILD_ANSWER: &str = "million-floor:";

/// What `count` guarded and touched stacks cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// From the first thread's start to the last one's end.
    pub(crate) wall: Duration,
    /// Growth of the resident set, at its highest.
    pub(crate) rss_bytes_each: u64,
    /// Growth of the page tables, which the resident set does not include.
    pub(crate) pte_bytes_each: u64,
    /// The length of `/proc/self/maps` with all the stacks in place.
    pub(crate) maps_lines: usize,
}

/// Guards and touches `count` stacks of `stack_size` bytes from `threads` threads at once.
///
/// Panics where the system refuses; see [`obstacle`].
pub(crate) fn run(count: usize, stack_size: usize, threads: usize) -> Floor {
    assert!(count > 0 && threads > 0);
    let slots = Slots::reserve(count, stack_size).expect("the address space has room");
    let rss_before = status_bytes("VmRSS");
    let pte_before = status_bytes("VmPTE");

    let wall = prepare_all(&slots, threads);

    let rss = status_bytes("VmHWM").max(status_bytes("VmRSS"));
    let pte = status_bytes("VmPTE");
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    slots.verify();
    Floor {
        wall,
        rss_bytes_each: rss.saturating_sub(rss_before) / count as u64,
        pte_bytes_each: pte.saturating_sub(pte_before) / count as u64,
        maps_lines: maps.lines().count(),
    }
}

/// Guards and touches `count` stacks of `stack_size` bytes on this thread, in pages that the process
/// has not had before: the stacks stay for as long as the process, as a runtime's would. Gives the time
/// of the guards and touches.
pub(crate) fn run_and_keep(count: usize, stack_size: usize) -> Duration {
    let slots = Slots::reserve(count, stack_size).expect("the address space has room");
    let wall = prepare_all(&slots, 1);
    slots.verify();
    std::mem::forget(slots);
    wall
}

/// Does [`run`] in a new process: this program, which must begin with [`answer_as_child`].
pub(crate) fn in_fresh_process(count: usize, stack_size: usize, threads: usize) -> Floor {
    let program = env::current_exe().expect("/proc is mounted");
    let output = Command::new(program)
        .arg(CHILD_FLAG)
        .args([count, stack_size, threads].map(|number| number.to_string()))
        .stderr(Stdio::inherit())
        .output()
        .expect("this program can be started again");
    assert!(output.status.success(), "the child failed: {output:?}");
    let answer = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<u64> = answer
        .strip_prefix(CHILD_ANSWER)
        .expect("main() calls answer_as_child() before it prints")
        .split_whitespace()
        .map(|field| field.parse().expect("the child prints numbers"))
        .collect();
    let [wall_ns, rss_bytes_each, pte_bytes_each, maps_lines] = fields[..] else {
        panic!("the child printed {answer:?}");
    };
    Floor {
        wall: Duration::from_nanos(wall_ns),
        rss_bytes_each,
        pte_bytes_each,
        maps_lines: maps_lines as usize,
    }
}

/// Measures and prints if this process was started by [`in_fresh_process`]; then `main` should
/// return.
pub(crate) fn answer_as_child() -> bool {
    let mut arguments = env::args().skip(1).skip_while(|word| word != CHILD_FLAG);
    if arguments.next().is_none() {
        return false;
    }
    let mut number = || arguments.next()?.parse().ok();
    let (Some(count), Some(stack_size), Some(threads)) = (number(), number(), number()) else {
        panic!("{CHILD_FLAG} takes a count, a stack size and a number of threads");
    };
    let floor = run(count, stack_size, threads);
    println!(
        "{CHILD_ANSWER} {} {} {} {}",
        floor.wall.as_nanos(),
        floor.rss_bytes_each,
        floor.pte_bytes_each,
        floor.maps_lines
    );
    true
}

/// Says why [`run`] would fail or thrash on this system, if it would.
pub(crate) fn obstacle(count: usize, stack_size: usize) -> Option<String> {
    let page_size = page_size();
    let probe = Slots::reserve(1, page_size).and_then(|slots| {
        slots.prepare(0)?;
        Ok(slots.is_guarded(0))
    });
    match probe {
        Err(error) => return Some(format!("MADV_GUARD_INSTALL needs Linux 6.13: {error}")),
        Ok(false) => return Some("this system accepts MADV_GUARD_INSTALL but ignores it".into()),
        Ok(true) => {}
    }
    // A page each, eight bytes of page table for each page of a slot, and some air.
    let slot_pages = (guard_size(stack_size) + stack_size) / page_size;
    let needed = count * (page_size + 8 * slot_pages) * 9 / 8;
    let available = field_bytes("/proc/meminfo", "MemAvailable") as usize;
    (needed > available).then(|| {
        format!("it takes {} MiB of memory and {} MiB are available", needed >> 20, available >> 20)
    })
}

/// The guard below a stack of this size; C code has large frames that are not probed page by page.
fn guard_size(stack_size: usize) -> usize {
    let kib = if stack_size >= 256 * 1024 { 64 } else { 16 };
    page_size().max(kib * 1024)
}

fn prepare_all(slots: &Slots, threads: usize) -> Duration {
    let barrier = Barrier::new(threads);
    let work = |share: Range<usize>| {
        barrier.wait();
        let start = Instant::now();
        for slot in share {
            slots.prepare(slot).expect("the kernel guards every slot");
        }
        (start, Instant::now())
    };
    let clocks: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let edge = |index| slots.count * index / threads;
        let running: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || work(edge(index)..edge(index + 1))))
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no share failed")).collect()
    });
    let first_start = clocks.iter().map(|clock| clock.0).min();
    let last_end = clocks.iter().map(|clock| clock.1).max();
    last_end.expect("a thread ran") - first_start.expect("a thread ran")
}

/// A mapping cut into slots, each a guard and, above it, a stack.
struct Slots {
    mapping: MmapRaw,
    count: usize,
    guard_size: usize,
    spacing: usize,
}

impl Slots {
    fn reserve(count: usize, stack_size: usize) -> io::Result<Self> {
        assert!(stack_size > 0 && stack_size % page_size() == 0);
        let guard_size = guard_size(stack_size);
        let spacing = guard_size + stack_size;
        let length = count.checked_mul(spacing).ok_or(io::ErrorKind::OutOfMemory)?;
        let mapping = MmapOptions::new().len(length).no_reserve_swap().map_anon()?;
        // A kernel built without huge pages refuses this, and does not need it.
        let _ = mapping.advise(Advice::NoHugePage);
        Ok(Self { mapping: mapping.into(), count, guard_size, spacing })
    }

    /// The low end of the slot, where its guard begins.
    fn guard(&self, slot: usize) -> *mut u8 {
        assert!(slot < self.count);
        // SAFETY: by invariant 1 the slot, and so its low end, lies inside the mapping.
        unsafe { self.mapping.as_mut_ptr().add(slot * self.spacing) }
    }

    /// The highest word of the slot's stack.
    fn top(&self, slot: usize) -> *mut usize {
        // SAFETY: by invariant 1 the whole slot lies inside the mapping, its last word too.
        let top = unsafe { self.guard(slot).add(self.spacing - size_of::<usize>()) };
        top.cast()
    }

    /// All that is measured: one guard, one first touch.
    #[inline(always)]
    fn prepare(&self, slot: usize) -> io::Result<()> {
        let guard = self.guard(slot).cast();
        // SAFETY: the range lies inside our mapping (invariant 1) and holds no data (invariant 3).
        let refused = unsafe { libc::madvise(guard, self.guard_size, MADV_GUARD_INSTALL) };
        if refused != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the word lies inside our writable mapping, above the guard (invariant 1), and
        // only this thread uses the slot (invariant 2). It is aligned, for slots are whole pages.
        unsafe { self.top(slot).write_volatile(slot) };
        Ok(())
    }

    /// Checks every first touch, and a guard in every thousand with the last one.
    fn verify(&self) {
        for slot in 0..self.count {
            // SAFETY: as in `prepare`, and its thread has been joined (invariant 2).
            let word = unsafe { self.top(slot).read_volatile() };
            assert_eq!(word, slot, "slot {slot} lost its first touch");
        }
        for slot in (0..self.count).step_by(1000).chain([self.count - 1]) {
            assert!(self.is_guarded(slot), "slot {slot} has no guard");
        }
    }

    /// Whether the last page of the slot's guard is out of reach: the kernel, told to put an answer
    /// there, must say EFAULT. It is a bare system call, since libc may answer without the kernel.
    fn is_guarded(&self, slot: usize) -> bool {
        let offset = self.guard_size - page_size();
        // SAFETY: inside the slot's guard, and so inside the mapping (invariant 1).
        let target = unsafe { self.guard(slot).add(offset) };
        // SAFETY: the kernel checks the address itself; if no guard is there, it writes a
        // `timespec` into our own mapping, aligned to a page, over no data (invariant 3).
        let result =
            unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, target) };
        result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
    }
}

fn page_size() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("Linux knows its page size")
}

fn status_bytes(field: &str) -> u64 {
    field_bytes("/proc/self/status", field)
}

/// A field of a `/proc` file in the form `Name:   1234 kB`, in bytes.
fn field_bytes(file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(file).expect("/proc is mounted");
    let kib: u64 = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| *name == field)
        .and_then(|(_, value)| value.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or_else(|| panic!("{file} has no {field} in kB"));
    kib * 1024
}
