//! Who plays a case: coroutines of one worker, of three, OS threads, or both in turn.

use kettle::runtime::Runtime;
use std::cell::Cell;
use std::time::Duration;

/// A time that is longer than anything that is waited for in vain.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A time that is waited for.
pub(crate) const SHORT: Duration = Duration::from_millis(5);

/// Those who play.
pub(crate) struct Crew {
    kind: Kind,
    spawned: Cell<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Coroutines,
    Threads,
    Mixed,
}

/// One of them, who is joined when this is dropped.
pub(crate) enum Mate<T> {
    Coroutine(Option<kettle::thread::JoinHandle<T>>),
    Thread(Option<std::thread::JoinHandle<T>>),
}

impl Crew {
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        play: impl FnOnce() -> T + Send + 'static,
    ) -> Mate<T> {
        let number = self.spawned.replace(self.spawned.get() + 1);
        match self.kind {
            Kind::Coroutines => Mate::Coroutine(Some(kettle::thread::spawn(play))),
            Kind::Mixed if number % 2 == 0 => Mate::Coroutine(Some(kettle::thread::spawn(play))),
            Kind::Mixed | Kind::Threads => Mate::Thread(Some(std::thread::spawn(play))),
        }
    }

    /// Lets the others go on, until `it` is so.
    pub(crate) fn wait_until(mut it: impl FnMut() -> bool) {
        while !it() {
            kettle::thread::yield_now();
        }
    }
}

impl<T> Mate<T> {
    pub(crate) fn join(mut self) -> T {
        self.take().expect("it was not joined yet").expect("it has panicked")
    }

    fn take(&mut self) -> Option<std::thread::Result<T>> {
        match self {
            Self::Coroutine(mate) => mate.take().map(|mate| mate.join()),
            Self::Thread(mate) => mate.take().map(|mate| mate.join()),
        }
    }
}

impl<T> Drop for Mate<T> {
    fn drop(&mut self) {
        if let Some(result) = self.take() {
            if !std::thread::panicking() {
                assert!(result.is_ok(), "it has panicked");
            }
        }
    }
}

/// Plays `case` in every way.
pub(crate) fn everywhere(case: fn(&Crew)) {
    let crew = |kind| Crew { kind, spawned: Cell::new(0) };
    for workers in [1, 3] {
        let runtime = Runtime::builder().workers(workers).build().unwrap();
        runtime.run(move || case(&crew(Kind::Coroutines)));
    }
    case(&crew(Kind::Threads));
    // The coroutines of this one are the default runtime's.
    case(&crew(Kind::Mixed));
}
