//! Timers: what a worker has to wake, and when.
//!
//! A hierarchical timing wheel (G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", 1987), as
//! Linux has had it for long. Time is counted in *ticks*; a tick's number in base 64 has eight digits, and for
//! each digit there is a level of 64 slots:
//!
//! ```text
//!   level 7      ...      level 1         level 0
//!   | 64 slots |          | 64 slots |    | 64 slots |     a slot of level n is 64^n ticks wide
//!                               |   cascade    ^
//!                               +--------------+
//! ```
//!
//! A timer lies in the level of the highest digit in which its tick differs from the present one, in the slot
//! of its own digit there. When the present comes to a slot of a higher level, its timers move down; when it
//! comes to one of level 0, they fire. So setting, taking out and firing a timer cost the same however many
//! there are, and each moves down at most seven times.
//!
//! The node is the caller's, on the stack of whoever waits: nothing is allocated. A wheel belongs to one thread.
//!
//! # Invariants
//!
//! 1. A timer whose `place` is not [`NOWHERE`] is in the slot of that number, lives, and stays where it is.
//! 2. A timer in level n agrees with `present` in all digits above n, and its digit n is greater.
//! 3. A level's `occupied` has a bit set for each of its slots that is not empty.

#![allow(unsafe_code)]

use crate::util::chain::{Chain, Linked, Links};
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;
use core::time::Duration;
use std::time::Instant;

/// A tick is two to the power of this many nanoseconds: 65.536 us.
const TICK_SHIFT: u32 = 16;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 8;

/// The last tick there is, in 584 years; what is later fires then.
const LAST: u64 = u64::MAX >> TICK_SHIFT;

/// The place of a timer that is in no slot.
const NOWHERE: u16 = u16::MAX;

/// In how many timers of a slot the earliest is looked for, so as not to wake only to move them down.
const GLANCE: usize = 16;

/// A timer: an entry of a [`Wheel`], for something of the caller's to happen.
#[derive(Debug)]
pub(crate) struct Timer<T> {
    links: Links<Timer<T>>,
    /// In ticks.
    tick: Cell<u64>,
    place: Cell<u16>,
    content: T,
    _pinned: PhantomPinned,
}

// SAFETY: the links are the slots' alone.
unsafe impl<T> Linked for Timer<T> {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl<T> Timer<T> {
    /// A timer that is not set. It is on its owner to take it out of its wheel before it goes.
    pub(crate) fn new(content: T) -> Self {
        Self {
            links: Links::new(),
            tick: Cell::new(0),
            place: Cell::new(NOWHERE),
            content,
            _pinned: PhantomPinned,
        }
    }

    pub(crate) fn content(&self) -> &T {
        &self.content
    }
}

struct Level<T> {
    occupied: Cell<u64>,
    slots: [Chain<Timer<T>>; SLOTS],
}

/// All timers of one thread.
pub(crate) struct Wheel<T> {
    /// When tick 0 was.
    start: Instant,
    /// The tick up to which everything has fired.
    present: Cell<u64>,
    levels: [Level<T>; LEVELS],
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel").field("present", &self.present.get()).finish_non_exhaustive()
    }
}

/// The digit of `tick` that belongs to `level`.
fn digit(tick: u64, level: usize) -> usize {
    (tick >> (DIGIT_BITS * level as u32)) as usize % SLOTS
}

impl<T> Wheel<T> {
    pub(crate) fn new() -> Self {
        let level = || Level { occupied: Cell::new(0), slots: [const { Chain::new() }; SLOTS] };
        Self {
            start: Instant::now(),
            present: Cell::new(0),
            levels: core::array::from_fn(|_| level()),
        }
    }

    /// Whether no timer is set.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.levels.iter().all(|level| level.occupied.get() == 0)
    }

    /// Sets `timer` for the first tick that is not before `deadline`. One that has passed fires at the next
    /// tick.
    ///
    /// # Safety
    ///
    /// It is not set, and its owner takes it out, by [`remove`](Self::remove), before it goes, unless it has
    /// fired.
    pub(crate) unsafe fn insert(&self, timer: Pin<&Timer<T>>, deadline: Instant) {
        debug_assert_eq!(timer.place.get(), NOWHERE);
        let nanos = deadline.saturating_duration_since(self.start).as_nanos();
        let tick = u64::try_from(nanos.div_ceil(1 << TICK_SHIFT)).unwrap_or(LAST).min(LAST);
        timer.tick.set(tick.max(self.present.get() + 1));
        // SAFETY: the caller's.
        unsafe { self.place(NonNull::from(&*timer)) };
    }

    /// Puts a timer whose tick is to come into its slot.
    ///
    /// # Safety
    ///
    /// It is in none, lives and stays where it is until it is taken out.
    unsafe fn place(&self, timer: NonNull<Timer<T>>) {
        // SAFETY: the caller's.
        let node = unsafe { timer.as_ref() };
        let tick = node.tick.get();
        // The highest digit that differs (invariant 2).
        let differing = tick ^ self.present.get();
        debug_assert!(tick > self.present.get());
        let level = (differing.ilog2() / DIGIT_BITS) as usize;
        let slot = digit(tick, level);
        node.place.set((level * SLOTS + slot) as u16);
        self.levels[level].occupied.set(self.levels[level].occupied.get() | 1 << slot);
        // SAFETY: the caller's.
        unsafe { self.levels[level].slots[slot].push_back(timer) };
    }

    /// Takes `timer` out, if it is set in this wheel; one that has fired is not.
    pub(crate) fn remove(&self, timer: Pin<&Timer<T>>) {
        let place = usize::from(timer.place.replace(NOWHERE));
        if place == usize::from(NOWHERE) {
            return;
        }
        let (level, slot) = (&self.levels[place / SLOTS], place % SLOTS);
        // SAFETY: invariant 1.
        unsafe { level.slots[slot].remove(NonNull::from(&*timer)) };
        if level.slots[slot].is_empty() {
            level.occupied.set(level.occupied.get() & !(1 << slot));
        }
    }

    /// The slot that comes first, if any is occupied: its level, its number, and the tick when it begins.
    fn first_slot(&self) -> Option<(usize, usize, u64)> {
        // By invariant 2 whatever is in a lower level comes before whatever is in a higher one, and no digit
        // that is occupied has passed.
        let level = self.levels.iter().position(|level| level.occupied.get() != 0)?;
        let slot = self.levels[level].occupied.get().trailing_zeros() as usize;
        let shift = DIGIT_BITS * level as u32;
        let above = self.present.get() >> shift >> DIGIT_BITS << DIGIT_BITS << shift;
        Some((level, slot, above | (slot as u64) << shift))
    }

    /// When to look again: nothing fires before that.
    pub(crate) fn next(&self) -> Option<Instant> {
        let (level, slot, begin) = self.first_slot()?;
        let mut tick = begin;
        if level > 0 {
            let slot = &self.levels[level].slots[slot];
            // SAFETY: invariant 1.
            let ticks = || slot.iter().map(|timer| unsafe { timer.as_ref() }.tick.get());
            if ticks().nth(GLANCE).is_none() {
                tick = ticks().min().unwrap_or(begin);
            }
        }
        self.start.checked_add(Duration::from_nanos(tick << TICK_SHIFT))
    }

    /// Takes out every timer whose tick has come by `now` and calls `fire` with its content, in the order of
    /// the ticks. `fire` sets and takes out none.
    pub(crate) fn advance(&self, now: Instant, mut fire: impl FnMut(&T)) {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        let now = u64::try_from(nanos >> TICK_SHIFT).unwrap_or(LAST).min(LAST - 1);
        while let Some((level, slot, begin)) = self.first_slot() {
            if begin > now {
                break;
            }
            self.present.set(begin);
            let level = &self.levels[level];
            level.occupied.set(level.occupied.get() & !(1 << slot));
            let timers = level.slots[slot].take();
            while let Some(timer) = timers.pop_front() {
                // SAFETY: invariant 1; out of its slot, and into another one or left alone.
                unsafe {
                    if timer.as_ref().tick.get() > begin {
                        self.place(timer);
                    } else {
                        timer.as_ref().place.set(NOWHERE);
                        fire(&timer.as_ref().content);
                    }
                }
            }
        }
        self.present.set(self.present.get().max(now));
    }
}

#[cfg(test)]
mod tests;
