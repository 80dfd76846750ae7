//! What cannot be forced from outside: events that come late.

use super::driver::Token;
use super::source::{Direction, Ready, Source, Waited};
use super::{Reactor, Registration, slab};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn reactor() -> &'static Reactor {
    let reactor = Box::leak(Box::new(Reactor::new()));
    reactor.open();
    reactor
}

fn pair() -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    (one, other)
}

/// A source of which it is known that there is nothing to read.
fn empty_source() -> &'static Source {
    let source = slab::take();
    source.start();
    source.clear(Direction::Read, source.readiness());
    assert!(!source.readiness().is_ready(Direction::Read));
    source
}

fn is_readable(source: &Source) -> bool {
    source.readiness().is_ready(Direction::Read)
}

#[test]
fn an_event_is_kept_until_somebody_finds_nothing() {
    let reactor = reactor();
    let (ours, mut theirs) = pair();
    let source = empty_source();
    source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
    reactor.look();
    assert!(!is_readable(source));
    theirs.write_all(b"x").unwrap();
    reactor.look();
    assert!(is_readable(source));
    let seen = source.readiness();
    // What comes between the look and the try is not forgotten with it.
    theirs.write_all(b"x").unwrap();
    reactor.look();
    source.clear(Direction::Read, seen);
    assert!(is_readable(source));
    source.clear(Direction::Read, source.readiness());
    assert!(!is_readable(source));
    source.release(ours.as_fd());
}

#[test]
fn an_event_that_was_told_before_the_descriptor_left_does_not_reach_the_next_in_its_slot() {
    let reactor = reactor();
    let (ours, mut theirs) = pair();
    let source = empty_source();
    source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
    let late = source.generation_for_test();
    theirs.write_all(b"x").unwrap();
    // The worker has taken the event from the kernel and not delivered it yet: now the descriptor leaves,
    // and the slot, still in our hands, begins anew.
    source.leave_for_test(ours.as_fd());
    source.start();
    source.clear(Direction::Read, source.readiness());
    let (next, _its_peer) = pair();
    source.watch_for_test(next.as_fd(), Direction::Read, reactor);
    let before = source.readiness();
    source.deliver(late, Ready::READ);
    assert_eq!(source.readiness(), before, "a late event was taken for another descriptor's");
    // The kernel tells of the one that left no more either.
    reactor.look();
    assert_eq!(source.readiness(), before);
    source.release(next.as_fd());
}

#[test]
fn a_duplicate_that_lives_on_makes_no_events() {
    let reactor = reactor();
    let (ours, mut theirs) = pair();
    let mut duplicate = ours.try_clone().unwrap();
    let source = empty_source();
    source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
    source.leave_for_test(ours.as_fd());
    drop(ours);
    let before = source.readiness();
    theirs.write_all(b"x").unwrap();
    reactor.look();
    assert_eq!(source.readiness(), before);
    assert!(!reactor.in_use());
    assert_eq!(duplicate.read(&mut [0; 8]).unwrap(), 1);
    slab::give_back(source.index());
}

#[test]
fn a_descriptor_that_moves_is_told_at_its_new_home_alone_and_nothing_is_lost() {
    let (first, second) = (reactor(), reactor());
    let (ours, mut theirs) = pair();
    let source = empty_source();
    for round in 0..10 {
        let (from, to) = if round % 2 == 0 { (first, second) } else { (second, first) };
        source.watch_for_test(ours.as_fd(), Direction::Read, from);
        assert!(from.in_use() && !to.in_use());
        let late = source.generation_for_test();
        // Told at the old home, not delivered there, and there before it moves.
        theirs.write_all(b"x").unwrap();
        source.watch_for_test(ours.as_fd(), Direction::Read, to);
        assert!(to.in_use() && !from.in_use());
        assert_ne!(source.generation_for_test(), late);
        source.deliver(late, Ready::READ);
        assert!(!is_readable(source), "an event of the old home counts at the new one");
        from.look();
        assert!(!is_readable(source));
        to.look();
        assert!(is_readable(source), "what had come before the move is lost");
        assert_eq!((&ours).read(&mut [0; 8]).unwrap(), 1);
        source.clear(Direction::Read, source.readiness());
    }
    source.release(ours.as_fd());
}

#[test]
fn what_is_waited_for_is_told_and_no_more() {
    let reactor = reactor();
    let (ours, _theirs) = pair();
    let source = empty_source();
    source.clear(Direction::Write, source.readiness());
    source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
    reactor.look();
    assert!(!source.readiness().is_ready(Direction::Write));
    source.watch_for_test(ours.as_fd(), Direction::Write, reactor);
    reactor.look();
    assert!(source.readiness().is_ready(Direction::Write));
    source.release(ours.as_fd());
}

#[test]
fn what_has_come_since_the_try_is_not_waited_for() {
    let reactor = reactor();
    let (ours, mut theirs) = pair();
    let source = empty_source();
    let soon = || Some(Instant::now() + Duration::from_millis(20));
    // On this thread, which is no worker: it looks into the reactor itself, and waits in the kernel.
    for direction in [Direction::Read, Direction::Write] {
        source.clear(direction, source.readiness());
        assert_eq!(source.wait(ours.as_fd(), direction, reactor, soon()), Ok(Waited::TimedOut));
    }
    theirs.write_all(b"x").unwrap();
    reactor.look();
    for direction in [Direction::Read, Direction::Write] {
        assert_eq!(source.wait(ours.as_fd(), direction, reactor, soon()), Ok(Waited::Ready));
    }
    source.release(ours.as_fd());
}

#[test]
fn everybody_who_waits_is_woken_and_who_gives_up_leaves_nothing_behind() {
    let reactor = reactor();
    let (ours, mut theirs) = pair();
    let source = empty_source();
    let deadline = Instant::now() + Duration::from_secs(60);
    // Or what is written before anybody waits would be seen only by a later look.
    source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
    for _ in 0..50 {
        source.clear(Direction::Read, source.readiness());
        let ended: Vec<_> = std::thread::scope(|scope| {
            let waiters: Vec<_> = (0..4)
                .map(|n| {
                    let fd = ours.as_fd();
                    // The first gives up at once, so that its place is another's.
                    let until = if n == 0 { Instant::now() } else { deadline };
                    scope.spawn(move || source.wait(fd, Direction::Read, reactor, Some(until)))
                })
                .collect();
            std::thread::yield_now();
            theirs.write_all(b"x").unwrap();
            // Who comes late finds that it is ready already.
            reactor.look();
            waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect()
        });
        assert!(ended[1..].iter().all(|ended| *ended == Ok(Waited::Ready)), "{ended:?}");
        assert!((&ours).read(&mut [0; 8]).unwrap() > 0);
    }
    // Nobody is in it any more, or this complains.
    source.release(ours.as_fd());
}

#[test]
fn after_a_hang_up_or_half_of_one_a_short_read_says_nothing() {
    for half in [true, false] {
        let reactor = reactor();
        let (ours, theirs) = pair();
        let source = empty_source();
        source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
        let theirs = half.then(|| {
            theirs.shutdown(Shutdown::Write).unwrap();
            theirs
        });
        reactor.look();
        source.clear_after_short_read(source.readiness());
        assert!(is_readable(source), "the end would never be read");
        source.release(ours.as_fd());
        drop(theirs);
    }
}

#[test]
fn a_ring_before_the_sleep_and_one_during_it_end_it() {
    let reactor = reactor();
    let (ours, _theirs) = pair();
    let (before_any, mut registration) = (Duration::from_secs(60), Registration::new());
    for with_a_driver in [false, true] {
        if with_a_driver {
            let source = empty_source();
            source.watch_for_test(ours.as_fd(), Direction::Read, reactor);
            source.release(ours.as_fd());
        }
        let begin = Instant::now();
        reactor.ring();
        reactor.sleep(Some(before_any));
        for _ in 0..100 {
            std::thread::scope(|scope| {
                scope.spawn(|| reactor.ring());
                // One may be left over from the last time, and end a sleep for nothing.
                reactor.sleep(Some(before_any));
            });
        }
        assert!(begin.elapsed() < before_any, "a ring was not heard");
    }
    registration.release(ours.as_fd());
}

#[test]
fn tokens_hold_what_they_were_made_of() {
    for (index, generation) in [(0, 0), (1, u32::MAX), (u32::MAX - 1, 7)] {
        let token = Token::new(index, generation);
        assert_eq!((token.index(), token.generation()), (index, generation));
    }
}
