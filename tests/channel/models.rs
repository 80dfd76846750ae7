//! Small programs in the style of Go's own channel tests.

use crate::crew::{Crew, everywhere};
use kettle::channel::{Receiver, Sender, bounded, never, select, unbounded};

/// Go's prime sieve: a chain that grows while it runs.
#[test]
fn a_sieve_of_filters_finds_the_primes() {
    everywhere(|crew| {
        for capacity in [0, 1, 8] {
            let (sender, mut numbers) = bounded(capacity);
            let mut mates = vec![crew.spawn(move || {
                let mut n = 2_u32;
                while sender.send(n).is_ok() {
                    n += 1;
                }
            })];
            let mut primes = Vec::new();
            for _ in 0..20 {
                let prime = numbers.recv().unwrap();
                primes.push(prime);
                let (sender, filtered) = bounded(capacity);
                let from = std::mem::replace(&mut numbers, filtered);
                mates.push(crew.spawn(move || {
                    for n in from {
                        if n % prime != 0 && sender.send(n).is_err() {
                            return;
                        }
                    }
                }));
            }
            drop(numbers);
            assert_eq!(&primes[..8], [2, 3, 5, 7, 11, 13, 17, 19]);
            assert_eq!(primes[19], 71);
            mates.into_iter().for_each(crate::crew::Mate::join);
        }
    });
}

/// A ball that goes round: each waits for the one before.
#[test]
fn a_message_goes_round_a_ring() {
    everywhere(|crew| {
        const SEATS: usize = 20;
        let (first, mut last) = bounded::<usize>(0);
        let mut mates = Vec::new();
        for _ in 0..SEATS {
            let (sender, receiver) = bounded(0);
            let from = std::mem::replace(&mut last, receiver);
            mates.push(crew.spawn(move || {
                for ball in from {
                    if sender.send(ball + 1).is_err() {
                        return;
                    }
                }
            }));
        }
        let mut ball = 0;
        for round in 1..=20 {
            first.send(ball).unwrap();
            ball = last.recv().unwrap();
            assert_eq!(ball, round * SEATS);
        }
        drop((first, last));
        mates.into_iter().for_each(crate::crew::Mate::join);
    });
}

/// Go's `doubleselect`: what comes out of one of several channels is put into another, until all have ended.
#[test]
fn what_is_merged_by_a_select_keeps_the_order_of_each_source() {
    fn merge(sources: [Receiver<(usize, u32)>; 3], to: &Sender<(usize, u32)>) {
        let [mut a, mut b, mut c] = sources;
        let mut open = 3;
        while open > 0 {
            let (got, from) = select! {
                recv(a) -> got => (got, &mut a),
                recv(b) -> got => (got, &mut b),
                recv(c) -> got => (got, &mut c),
            };
            if let Ok(got) = got {
                to.send(got).unwrap();
            } else {
                *from = never();
                open -= 1;
            }
        }
    }
    everywhere(|crew| {
        let source = |crew: &Crew, capacity: usize, number: usize| {
            let (sender, receiver) = bounded(capacity);
            let mate = crew.spawn(move || (0..400).for_each(|n| sender.send((number, n)).unwrap()));
            (mate, receiver)
        };
        let (mates, sources): (Vec<_>, Vec<_>) =
            [0, 1, 50].iter().enumerate().map(|(n, &it)| source(crew, it, n)).unzip();
        let (sender, merged) = unbounded();
        let merger = crew.spawn(move || merge(sources.try_into().unwrap(), &sender));
        let mut expected = [0; 3];
        for (source, n) in merged {
            assert_eq!(n, expected[source]);
            expected[source] += 1;
        }
        assert_eq!(expected, [400; 3]);
        merger.join();
        drop(mates);
    });
}
