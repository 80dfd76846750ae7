//! The arena: address space for stacks of one class, reserved in doubling steps and carved into
//! slots.
//!
//! ```text
//!   reservation 1      reservation 2, twice as long
//!   |slot|slot|slot|   |slot|slot|slot| untouched, not dumped        |
//!                                     ^ carved        ^ dumped up to here
//! ```
//!
//! Doubling keeps the number of mappings small (a million stacks need some fifteen reservations) and
//! asks for no more than twice what is used: an untouched terabyte would be refused under strict
//! overcommit, and would cost a minute in every core dump if it were not kept out of it.

#![allow(unsafe_code)]

use super::run::Run;
use super::{Stack, StackClass, StackError, guard};
use crate::util::fallible::try_box;
use crate::util::lock::Lock;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering};
use memmap2::{Advice, MmapMut, MmapOptions};
use std::io;

/// The address space that a class's first reservation takes, at the least one slot.
const FIRST_RESERVATION: usize = 64 * 1024 * 1024;

/// One mapping of slots; lives until the process ends.
#[derive(Debug)]
struct Reservation {
    start: NonNull<u8>,
    slots: usize,
    class: StackClass,
    map: MmapMut,
    /// The reservation made before this one, of any class.
    older: Option<&'static Reservation>,
}

// SAFETY: it is never written to after it was published, and its memory belongs to the slots' owners.
unsafe impl Sync for Reservation {}

/// The newest reservation: the head of the list that the SIGSEGV handler walks.
static NEWEST: AtomicPtr<Reservation> = AtomicPtr::new(core::ptr::null_mut());

/// A slot, as found by an address in it or in its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotFound {
    /// The stack's base.
    pub(super) base: usize,
    /// The stack's size in bytes.
    pub(super) size: usize,
    /// Whether the address is in the guard.
    pub(super) in_guard: bool,
}

/// The slot that `address` lies in, if it is one of ours. Async-signal-safe.
pub(super) fn find_slot(address: usize) -> Option<SlotFound> {
    // Acquire: pairs with the Release in `Reservation::publish`; the older ones are reached through
    // fields that were written before.
    // SAFETY: reservations are leaked, so a pointer once published stays good (invariant 2).
    let mut next = unsafe { NEWEST.load(Ordering::Acquire).as_ref() };
    while let Some(reservation) = next {
        let stride = reservation.class.stride();
        let offset = address.wrapping_sub(reservation.start.addr().get());
        if offset < reservation.slots * stride {
            let slot = offset / stride;
            return Some(SlotFound {
                base: reservation.start.addr().get() + (slot + 1) * stride,
                size: reservation.class.size(),
                in_guard: offset % stride < reservation.class.guard_len(),
            });
        }
        next = reservation.older;
    }
    None
}

impl Reservation {
    fn new(class: StackClass, slots: usize) -> io::Result<Self> {
        let len = slots.checked_mul(class.stride()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut map = MmapOptions::new().len(len).no_reserve_swap().map_anon()?;
        // A huge page would commit 2 MiB for the first byte. Kernels without them say EINVAL.
        let _ = map.advise(Advice::NoHugePage);
        // Best effort: a core dump that is too large is still a core dump.
        let _ = map.advise(Advice::DontDump);
        let start = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, slots, class, map, older: None })
    }

    /// Makes the handler know it, for ever.
    ///
    /// # Errors
    ///
    /// Where there is no memory for a note of it; it is unmapped then.
    fn publish(mut self) -> io::Result<&'static Self> {
        // Only ever called under some arena's lock, but each class has its own: hence the loop.
        // Acquire: pairs with the Release below, of whoever published before.
        let mut newest = NEWEST.load(Ordering::Acquire);
        // SAFETY: as in `find_slot`.
        self.older = unsafe { newest.as_ref() };
        let this = try_box(self).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let this: *mut Self = Box::into_raw(this);
        // Release: pairs with the Acquire in `find_slot`. Acquire: the next `older` is read through.
        while let Err(now) =
            NEWEST.compare_exchange(newest, this, Ordering::AcqRel, Ordering::Acquire)
        {
            newest = now;
            // SAFETY: not published yet, so still ours to write; `newest` as in `find_slot`.
            unsafe { (*this).older = newest.as_ref() };
        }
        // SAFETY: leaked above.
        Ok(unsafe { &*this })
    }

    /// The low end of slot `index`, which is where its guard begins.
    fn slot(&self, index: usize) -> NonNull<u8> {
        debug_assert!(index < self.slots);
        // SAFETY: inside the mapping.
        unsafe { self.start.add(index * self.class.stride()) }
    }
}

/// The slots of one class that nobody has had yet.
#[derive(Debug)]
pub(super) struct Arena {
    frontier: Lock<Frontier>,
}

#[derive(Debug)]
struct Frontier {
    newest: Option<&'static Reservation>,
    /// How many of its slots are carved.
    carved: usize,
    /// How many of its slots a core dump would hold.
    dumped: usize,
    /// Carved slots that could not be guarded then.
    unguarded: Vec<Run>,
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self {
            frontier: Lock::new(Frontier {
                newest: None,
                carved: 0,
                dumped: 0,
                unguarded: Vec::new(),
            }),
        }
    }

    /// Gives up to `count` new guarded stacks to `take`, at the least one. An arena is always asked for
    /// the same class.
    ///
    /// # Errors
    ///
    /// Where not even one can be had.
    pub(super) fn carve(
        &self,
        class: StackClass,
        count: usize,
        mut take: impl FnMut(Stack),
    ) -> Result<(), StackError> {
        let mut run = self.frontier.lock().carve(class, count)?;
        // Outside the lock: a guard takes half a microsecond.
        // SAFETY: the slots are ours (invariant 1), their low ends are the guards' places.
        let (guarded, outcome) = unsafe { guard::install_all(&run, class.guard_len()) };
        if let Some(unguarded) = run.split_off(guarded) {
            self.frontier.lock().put_back(unguarded);
        }
        // To have the kernel find the first pages at once too (MADV_POPULATE_WRITE) was tried and dropped:
        // it saves the faults, but costs more than they do when several threads do it.
        for index in 1..=guarded {
            // SAFETY: the end of a slot, which is not at address zero.
            let base = unsafe { NonNull::new_unchecked(run.slot(index)) };
            #[cfg(feature = "valgrind")]
            crate::sys::valgrind::register_stack(base, class.size());
            take(Stack { base, class, shallow: true });
        }
        if guarded == 0 { outcome } else { Ok(()) }
    }
}

impl Frontier {
    /// Takes up to `count` slots, at the least one.
    fn carve(&mut self, class: StackClass, count: usize) -> Result<Run, StackError> {
        if let Some(mut run) = self.unguarded.pop() {
            if let Some(rest) = run.split_off(count) {
                self.put_back(rest);
            }
            return Ok(run);
        }
        let reservation = match self.newest {
            Some(newest) if self.carved < newest.slots => newest,
            _ => self.reserve(class)?,
        };
        let until = reservation.slots.min(self.carved + count);
        if until > self.dumped {
            // In steps of an eighth, because each changes the mapping.
            let wanted = until.max(self.dumped + reservation.slots / 8).min(reservation.slots);
            let stride = class.stride();
            // Best effort, as in `Reservation::new`.
            let _ = reservation.map.advise_range(
                Advice::DoDump,
                self.dumped * stride,
                (wanted - self.dumped) * stride,
            );
            self.dumped = wanted;
        }
        let start = reservation.slot(self.carved);
        let run = Run::new(start, until - self.carved, class.stride());
        self.carved = until;
        Ok(run)
    }

    /// Takes back slots that could not be guarded, for whoever comes next. Without memory for a note of
    /// them they are forgotten: untouched address space.
    fn put_back(&mut self, run: Run) {
        if self.unguarded.try_reserve(1).is_ok() {
            self.unguarded.push(run);
        }
    }

    /// Reserves twice as many slots as last time, or as many as the kernel will give.
    fn reserve(&mut self, class: StackClass) -> Result<&'static Reservation, StackError> {
        let mut slots = match self.newest {
            Some(newest) => newest.slots * 2,
            None => (FIRST_RESERVATION / class.size()).max(1),
        };
        let reservation = loop {
            match Reservation::new(class, slots) {
                Ok(reservation) => break reservation,
                Err(_) if slots > 1 => slots /= 2,
                Err(source) => return Err(StackError::Reserve { size: class.size(), source }),
            }
        };
        let reservation = reservation
            .publish()
            .map_err(|source| StackError::Reserve { size: class.size(), source })?;
        self.newest = Some(reservation);
        self.carved = 0;
        self.dumped = 0;
        Ok(reservation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_found_by_any_address_in_it() {
        let class = StackClass::fitting(128 * 1024).expect("allowed");
        let arena = Arena::new();
        let mut stacks = Vec::new();
        arena.carve(class, 3, |stack| stacks.push(stack)).expect("address space");
        assert_eq!(stacks.len(), 3);
        for stack in &stacks {
            let base = stack.base().addr().get();
            let limit = base - class.size();
            for (address, in_guard) in [
                (base - 1, false),
                (limit, false),
                (limit - 1, true),
                (limit - class.guard_len(), true),
            ] {
                let expected = SlotFound { base, size: class.size(), in_guard };
                assert_eq!(find_slot(address), Some(expected));
            }
        }
        assert_eq!(find_slot((&raw const stacks).addr()), None);
    }

    #[test]
    fn the_kernel_refuses_to_read_a_guard_and_reads_a_stack() {
        for class in StackClass::all() {
            let mut stacks = Vec::new();
            Arena::new().carve(class, 1, |stack| stacks.push(stack)).expect("address space");
            let limit = stacks[0].base().as_ptr().wrapping_sub(class.size());
            let guard = limit.wrapping_sub(class.guard_len());
            assert!(crate::sys::memory::is_guarded(limit.wrapping_sub(8)), "{class:?}");
            assert!(crate::sys::memory::is_guarded(guard), "{class:?}");
            assert!(!crate::sys::memory::is_guarded(limit), "{class:?}");
        }
    }

    #[test]
    fn more_slots_than_one_reservation_holds() {
        let class = StackClass::fitting(1 << 30).expect("allowed");
        let arena = Arena::new();
        let mut stacks = Vec::new();
        while stacks.len() < 10 {
            arena.carve(class, 4, |stack| stacks.push(stack)).expect("address space");
        }
        let mut bases: Vec<_> = stacks.iter().map(|stack| stack.base().addr().get()).collect();
        bases.sort_unstable();
        assert!(bases.windows(2).all(|pair| pair[1] - pair[0] >= class.stride()));
    }
}
