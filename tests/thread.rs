//! `kettle::thread` behaves as `std::thread` does, on coroutines and on OS threads beside them.

#[path = "support/coroutines.rs"]
mod coroutines;

use coroutines::Counted;
use kettle::runtime::Runtime;
use kettle::thread::{self, Builder};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

fn counter() -> (Arc<AtomicUsize>, impl Fn() -> Counted) {
    let count = Arc::new(AtomicUsize::new(0));
    let same = Arc::clone(&count);
    (count, move || Counted(Arc::clone(&same)))
}

fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .expect("a message")
}

/// The traits that a program may rely on; std's own have no more.
#[test]
fn handles_are_as_free_as_stds() {
    use std::panic::{RefUnwindSafe, UnwindSafe};
    fn free<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + std::fmt::Debug>() {}
    free::<thread::Thread>();
    free::<thread::ThreadId>();
    free::<thread::JoinHandle<*mut u8>>();
    free::<Builder>();
    free::<Runtime>();
    free::<kettle::runtime::Handle>();
    free::<kettle::runtime::Builder>();
}

#[test]
fn join_returns_what_the_closure_returned() {
    assert_eq!(thread::spawn(|| 42).join().unwrap(), 42);
    let text = String::from("borrowed by nobody");
    assert_eq!(thread::spawn(move || text).join().unwrap(), "borrowed by nobody");
    thread::spawn(|| ()).join().unwrap();
    assert_eq!(thread::spawn(|| [7_u8; 10_000]).join().unwrap()[9_999], 7);
}

#[test]
fn a_panic_is_handed_to_join_and_its_neighbours_go_on() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let neighbours: Vec<_> = (0..10)
            .map(|n| {
                thread::spawn(move || {
                    thread::yield_now();
                    assert!(!thread::panicking());
                    n
                })
            })
            .collect();
        let faulty = thread::spawn(|| -> u32 {
            thread::yield_now();
            panic!("of number {}", 7)
        });
        assert_eq!(message(&*faulty.join().unwrap_err()), "of number 7");
        for (n, neighbour) in neighbours.into_iter().enumerate() {
            assert_eq!(neighbour.join().unwrap(), n);
        }
    });
}

#[test]
fn any_payload_comes_through() {
    let coroutine = thread::spawn(|| resume_unwind(Box::new(1234_u64)));
    assert_eq!(*coroutine.join().unwrap_err().downcast::<u64>().unwrap(), 1234);
}

#[test]
fn names_and_identities() {
    let named = Builder::new().name("teapot".into()).spawn(thread::current).unwrap();
    let outside = named.thread().clone();
    let inside = named.join().unwrap();
    assert_eq!(inside.name(), Some("teapot"));
    assert_eq!(outside.id(), inside.id());
    let other = thread::spawn(thread::current).join().unwrap();
    assert_eq!(other.name(), None);
    assert_ne!(other.id(), inside.id());
    // An OS thread is somebody, too, and always the same.
    assert_eq!(thread::current().id(), thread::current().id());
    assert_eq!(thread::current().name(), std::thread::current().name());
    assert!(format!("{inside:?}").contains("teapot"), "{inside:?}");
}

#[test]
fn is_finished_tells_the_end_without_waiting() {
    let coroutine = thread::spawn(thread::park);
    assert!(!coroutine.is_finished());
    coroutine.thread().unpark();
    while !coroutine.is_finished() {
        thread::yield_now();
    }
    coroutine.join().unwrap();
}

#[test]
fn an_unpark_before_the_park_is_kept_and_a_thousand_make_one() {
    let (sender, receiver) = mpsc::channel();
    let coroutine = thread::spawn(move || {
        for _ in 0..1_000 {
            thread::current().unpark();
        }
        thread::park();
        sender.send("once").unwrap();
        thread::park();
        sender.send("twice").unwrap();
    });
    assert_eq!(receiver.recv(), Ok("once"));
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
    coroutine.thread().unpark();
    assert_eq!(receiver.recv(), Ok("twice"));
    coroutine.join().unwrap();
}

#[test]
fn an_unpark_during_a_join_neither_ends_it_nor_gets_lost() {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let slow = thread::spawn(thread::park);
        let slow_thread = slow.thread().clone();
        let joiner = thread::spawn(move || {
            slow.join().unwrap();
            // The token came while this was joining.
            thread::park();
        });
        while !format!("{:?}", joiner.thread()).contains("to end") {
            thread::yield_now();
        }
        joiner.thread().unpark();
        thread::yield_now();
        assert!(!joiner.is_finished());
        slow_thread.unpark();
        joiner.join().unwrap();
    });
}

#[test]
fn coroutines_and_os_threads_wake_each_other() {
    const ROUNDS: usize = 10_000;
    let turn = Arc::new(AtomicUsize::new(0));
    let main = thread::current();
    let theirs = Arc::clone(&turn);
    let coroutine = thread::spawn(move || {
        for round in 0..ROUNDS {
            while theirs.load(Ordering::Acquire) != 2 * round + 1 {
                thread::park();
            }
            theirs.store(2 * round + 2, Ordering::Release);
            main.unpark();
        }
    });
    for round in 0..ROUNDS {
        turn.store(2 * round + 1, Ordering::Release);
        coroutine.thread().unpark();
        while turn.load(Ordering::Acquire) != 2 * round + 2 {
            thread::park();
        }
    }
    coroutine.join().unwrap();
}

#[test]
fn a_dropped_handle_detaches_and_the_output_is_dropped_once() {
    let (dropped, make) = counter();
    // Dropped before the end.
    let (sender, receiver) = mpsc::channel::<()>();
    let value = make();
    let coroutine = thread::spawn(move || {
        thread::park();
        let _sender = sender;
        value
    });
    let parked = coroutine.thread().clone();
    drop(coroutine);
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    parked.unpark();
    receiver.recv().unwrap_err();
    while dropped.load(Ordering::SeqCst) != 1 {
        thread::yield_now();
    }
    // Dropped after the end.
    let value = make();
    let coroutine = thread::spawn(move || value);
    while !coroutine.is_finished() {
        thread::yield_now();
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    drop(coroutine);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    // Taken by join.
    let value = make();
    let value = thread::spawn(move || value).join().unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    drop(value);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
}

#[test]
fn what_a_detached_coroutine_leaves_is_dropped_on_a_coroutine_that_may_wait() {
    struct Waits(mpsc::Sender<Option<String>>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let helper = thread::spawn(|| ());
            helper.join().unwrap();
            let _ = self.0.send(thread::current().name().map(str::to_string));
        }
    }
    let (sender, receiver) = mpsc::channel();
    let leaver = Builder::new().name("leaver".into()).spawn(move || {
        thread::park();
        Waits(sender)
    });
    let leaver = leaver.unwrap();
    let parked = leaver.thread().clone();
    drop(leaver);
    parked.unpark();
    assert_eq!(receiver.recv().unwrap().as_deref(), Some("leaver"));
}

#[test]
fn destructors_that_panic_harm_nobody() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    // An output that panics when it is dropped, and a payload that does.
    drop(thread::spawn(|| Panics));
    drop(thread::spawn(|| resume_unwind(Box::new(Panics))));
    // One that is dropped by the closure is a panic like any other.
    let payload = thread::spawn(|| drop(Panics)).join().unwrap_err();
    assert_eq!(message(&*payload), "in a destructor");
    assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
}

#[test]
fn a_coroutine_that_joins_itself_is_told_so() {
    let slot: Arc<Mutex<Option<thread::JoinHandle<()>>>> = Arc::default();
    let same = Arc::clone(&slot);
    let (sender, receiver) = mpsc::channel();
    let coroutine = thread::spawn(move || {
        thread::park();
        let own = same.lock().unwrap().take().unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| own.join()));
        sender.send(message(&*result.unwrap_err()).to_string()).unwrap();
    });
    let parked = coroutine.thread().clone();
    *slot.lock().unwrap() = Some(coroutine);
    parked.unpark();
    assert_eq!(receiver.recv().unwrap(), "a coroutine cannot join itself");
}

#[test]
fn run_lends_what_it_borrows_and_hands_on_panics() {
    let mut numbers = [3, 1, 2];
    let sum: i32 = kettle::run(|| {
        numbers.sort_unstable();
        numbers.iter().sum()
    });
    assert_eq!((sum, &numbers[..]), (6, &[1, 2, 3][..]));
    // Inside a coroutine, too.
    assert_eq!(kettle::run(|| kettle::run(|| numbers.len())), 3);
    let payload = catch_unwind(|| kettle::run(|| panic!("through run"))).unwrap_err();
    assert_eq!(message(&*payload), "through run");
}

#[test]
fn nonsense_is_refused_with_the_reason() {
    let error = Builder::new().stack_size((1 << 30) + 1).spawn(|| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("1073741824"), "{error}");

    let error = Builder::new().beside(&thread::current()).spawn(|| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("OS thread"), "{error}");

    let other = Runtime::builder().workers(1).build().unwrap();
    let foreign = other.spawn(thread::park);
    let error = Builder::new().beside(foreign.thread()).spawn(|| ()).unwrap_err();
    assert!(error.to_string().contains("another runtime"), "{error}");
    foreign.thread().unpark();
    foreign.join().unwrap();

    for workers in [0, 1_025, usize::MAX] {
        let error = Runtime::builder().workers(workers).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("from 1 to 1024"), "{error}");
    }
    Runtime::builder().stack_size(usize::MAX).build().unwrap_err();
    Runtime::builder().worker_name("a\0b").build().unwrap_err();
}

#[test]
fn a_stack_is_at_least_as_deep_as_was_asked() {
    /// Uses `bytes` of stack in steps of a page, and returns a sum that needs each of them.
    fn dig(bytes: usize) -> usize {
        let mut frame = [0_u8; 4096];
        std::hint::black_box(&mut frame);
        frame[17] = 1;
        let deeper = if bytes > 2 * 4096 { dig(bytes - 4096 - 512) } else { 0 };
        std::hint::black_box(&frame)[17] as usize + deeper
    }
    for size in [1 << 16, 1 << 18, 1 << 20, 1 << 24, 1 << 28] {
        let deep = Builder::new().stack_size(size).spawn(move || dig(size / 2)).unwrap();
        assert!(deep.join().unwrap() >= size / 2 / 8192);
    }
}

#[test]
fn an_os_thread_may_wait_in_the_destructors_of_its_locals() {
    struct Joins(Option<thread::JoinHandle<u32>>, mpsc::Sender<u32>);
    impl Drop for Joins {
        fn drop(&mut self) {
            let slow = self.0.take().unwrap();
            slow.thread().unpark();
            self.1.send(slow.join().unwrap()).unwrap();
        }
    }
    thread_local! {
        static OLDER: std::cell::RefCell<Option<Joins>> = const { std::cell::RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // The local is there before this thread is anybody to kettle.
        OLDER.with(|_| ());
        let slow = thread::spawn(|| {
            thread::park();
            (0..100).for_each(|_| thread::yield_now());
            7
        });
        OLDER.set(Some(Joins(Some(slow), sender)));
        thread::spawn(|| ()).join().unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(receiver.try_recv(), Ok(7));
}

#[test]
fn beside_what_has_ended_is_anywhere() {
    // A later runtime may come to lie where an earlier one was; nothing of that may be seen.
    for _ in 0..50 {
        let earlier = Runtime::builder().workers(4).build().unwrap();
        let threads: Vec<_> =
            (0..8).map(|_| earlier.spawn(thread::current).join().unwrap()).collect();
        drop(earlier);
        let later = Runtime::builder().workers(1).build().unwrap();
        for thread in &threads {
            let beside = Builder::new().beside(thread).spawn_on(later.handle(), || 1);
            assert_eq!(beside.unwrap().join().unwrap(), 1);
        }
    }
}
