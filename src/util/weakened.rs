//! Loom's atomics, of which one ordering at a time can be weakened: the models run over them, and `ci/loom`
//! shows with them that each model sees the orderings which it is there for.
//!
//! Each access knows the place in the source that it is made from. With `KETTLE_WEAKEN=<place>=<ordering>`
//! the accesses from that place use that ordering in the place of their own; a fence that is to be
//! `Relaxed` is left out. [`check`] lists the places and their orderings, one a line, as `ci/loom` reads
//! them.
//!
//! What loom knows of the memory model, and what it does not:
//!
//! - A load may see any store that coherence and happens-before allow, also with several threads that see
//!   the same stores at different times. It never sees a store that comes later in the execution (no load
//!   buffering), which no compiler or processor of ours produces with the orderings used here.
//! - `SeqCst` accesses count as `AcqRel`, which may fail what is right and hides nothing.
//! - `SeqCst` fences are in one order, and what happened before the earlier is seen after the later. C++
//!   promises the same for what is read by atomics, which is how the protocols use them; for plain data
//!   loom promises more. So no model lets plain data hang on a fence alone.
//! - At most so many times as [`check`] is told is a thread interrupted that could have gone on. A thread
//!   that waits is no interruption.

#![allow(unsafe_code)]

use core::panic::Location;
use core::sync::atomic::Ordering;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

pub(crate) use loom::cell::Cell;

/// One line for each place that was passed: the place and its ordering.
static PLACES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The place that was asked for has been passed.
static WEAKENED: AtomicBool = AtomicBool::new(false);

/// The exit status of a model that never came by the place that was to be weakened.
const NEVER_PASSED: i32 = 70;

fn weaken() -> Option<&'static (String, Ordering)> {
    static WEAKEN: OnceLock<Option<(String, Ordering)>> = OnceLock::new();
    let read = || {
        let asked = std::env::var("KETTLE_WEAKEN").ok()?;
        let (place, ordering) = asked.split_once('=').expect("KETTLE_WEAKEN is <place>=<ordering>");
        // Acquire, Release, AcqRel: names only; what they do is the place's own matter.
        let ordering = match ordering {
            "Relaxed" => Ordering::Relaxed,
            "Acquire" => Ordering::Acquire,
            "Release" => Ordering::Release,
            "AcqRel" => Ordering::AcqRel,
            other => panic!("KETTLE_WEAKEN asks for the ordering `{other}`"),
        };
        Some((place.to_owned(), ordering))
    };
    WEAKEN.get_or_init(read).as_ref()
}

thread_local! {
    /// What `chosen` has answered, by the place and the kind of access. (Loom's threads are all one of the
    /// system's.)
    static CHOSEN: RefCell<HashMap<Place, Ordering>> = RefCell::default();
}

/// An access in the source, by the address of its location.
type Place = (*const Location<'static>, &'static str);

/// The ordering to use where `ordering` is written.
#[track_caller]
fn chosen(kind: &'static str, ordering: Ordering) -> Ordering {
    if ordering == Ordering::Relaxed {
        return ordering;
    }
    let location = Location::caller();
    let choose = || {
        let place = format!("{location}:{kind}");
        if let Some((_, weaker)) = weaken().filter(|(asked, _)| *asked == place) {
            WEAKENED.store(true, Ordering::Relaxed);
            return *weaker;
        }
        PLACES.lock().unwrap().insert(format!("place {place} {ordering:?}"));
        ordering
    };
    CHOSEN.with_borrow_mut(|known| *known.entry((location, kind)).or_insert_with(choose))
}

#[track_caller]
pub(crate) fn fence(ordering: Ordering) {
    match chosen("fence", ordering) {
        Ordering::Relaxed => {}
        ordering => loom::sync::atomic::fence(ordering),
    }
}

pub(crate) fn futex_word(_: &AtomicU32) -> &core::sync::atomic::AtomicU32 {
    unreachable!("a model has no kernel to sleep in")
}

macro_rules! atomic {
    ($name:ident $(<$parameter:ident>)?, $value:ty, { $($more:ident)* }) => {
        #[derive(Debug)]
        pub(crate) struct $name $(<$parameter>)? (loom::sync::atomic::$name $(<$parameter>)?);

        #[allow(dead_code)]
        impl $(<$parameter>)? $name $(<$parameter>)? {
            #[track_caller]
            pub(crate) fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            #[track_caller]
            pub(crate) fn load(&self, ordering: Ordering) -> $value {
                self.0.load(chosen("load", ordering))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                self.0.store(value, chosen("store", ordering));
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $value, ordering: Ordering) -> $value {
                self.0.swap(value, chosen("swap", ordering))
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let (success, failure) = (chosen("success", success), chosen("failure", failure));
                self.0.compare_exchange(current, new, success, failure)
            }

            #[track_caller]
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                // Loom's never fails for no reason, which only another turn of a loop would show.
                self.compare_exchange(current, new, success, failure)
            }

            $(
                #[track_caller]
                pub(crate) fn $more(&self, value: $value, ordering: Ordering) -> $value {
                    self.0.$more(value, chosen(stringify!($more), ordering))
                }
            )*
        }
    };
}

atomic!(AtomicU8, u8, { fetch_and fetch_or });
atomic!(AtomicU32, u32, { fetch_add fetch_sub fetch_and fetch_or });
atomic!(AtomicU64, u64, { fetch_add fetch_sub fetch_and fetch_or });
atomic!(AtomicUsize, usize, { fetch_add fetch_sub fetch_or });
atomic!(AtomicPtr<T>, *mut T, {});

impl Default for AtomicUsize {
    fn default() -> Self {
        Self::new(0)
    }
}

/// Plain data of a model: two accesses from different threads that nothing orders fail it.
#[derive(Debug)]
pub(crate) struct Plain(Cell<u32>);

// SAFETY: loom stops the model before an access that would be a race.
unsafe impl Send for Plain {}
// SAFETY: as above.
unsafe impl Sync for Plain {}

impl Plain {
    pub(crate) fn new(value: u32) -> Self {
        Self(Cell::new(value))
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.get()
    }

    /// Returns what was there before.
    pub(crate) fn set(&self, value: u32) -> u32 {
        self.0.replace(value)
    }
}

/// How often at most threads are interrupted that could have gone on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interruptions {
    Any,
    UpTo(usize),
}

/// Runs `model` through every interleaving with at most so many `interruptions`, and panics in one that goes
/// wrong.
pub(crate) fn check(interruptions: Interruptions, model: impl Fn() + Sync + Send + 'static) {
    // Reads `LOOM_MAX_PREEMPTIONS`, which, for a longer look, takes the place of a bound given here.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match (interruptions, builder.preemption_bound) {
        (Interruptions::Any, _) => None,
        (Interruptions::UpTo(bound), asked) => Some(asked.unwrap_or(bound)),
    };
    let interleavings = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&interleavings);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let interleavings = interleavings.load(Ordering::Relaxed);
    assert!(interleavings > 1, "a model without any choice shows nothing");
    println!("interleavings {interleavings}");
    for place in &*PLACES.lock().unwrap() {
        println!("{place}");
    }
    if weaken().is_some() && !WEAKENED.load(Ordering::Relaxed) {
        println!("never passed the place to be weakened");
        std::process::exit(NEVER_PASSED);
    }
}
