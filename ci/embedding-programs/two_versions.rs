//! Two versions of kettle in one program, `first` and `second`. Usage: two_versions both | overflow
//! (first | second) (first | second): who installs its handler first, and who overflows.

use std::hint::black_box;

fn overflow(depth: usize) -> usize {
    if black_box(depth) == usize::MAX {
        return depth;
    }
    let frame = black_box([depth; 64]);
    overflow(depth + 1) + frame[depth % 64]
}

/// The same for both.
macro_rules! version {
    ($name:ident) => {
        mod $name {
            $name::thread_local! {
                pub static OWN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
            }

            pub fn warm_up() {
                $name::run(|| $name::thread::yield_now());
            }

            pub fn overflow() {
                let builder = $name::thread::Builder::new()
                    .name(concat!("of-the-", stringify!($name)).into());
                builder.spawn(|| super::overflow(0)).unwrap().join().unwrap();
            }

            /// Spawns and joins, calling `inside` in each coroutine.
            pub fn boil(inside: fn() -> usize) -> usize {
                let all: Vec<_> = (0..100)
                    .map(|n| {
                        $name::thread::spawn(move || {
                            OWN.set(n);
                            $name::thread::yield_now();
                            let inside = inside();
                            $name::thread::yield_now();
                            OWN.get() + inside
                        })
                    })
                    .collect();
                all.into_iter().map(|one| one.join().unwrap()).sum()
            }

            pub fn counter() -> usize {
                let mut raw = $name::coroutine::Coroutine::new(|suspender, ()| {
                    (0..10).for_each(|n| suspender.suspend(n))
                });
                let mut sum = 0;
                while let $name::coroutine::State::Yielded(n) = raw.resume(()) {
                    sum += n;
                }
                sum
            }
        }
    };
}

version!(first);
version!(second);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["both"] => {
            assert_eq!(first::boil(|| 0) + second::boil(|| 0), 2 * 4950);
            // Each inside of the other: for it, a coroutine of the other is an OS thread.
            assert_eq!(
                first::boil(|| second::counter() + second::boil(|| 1)),
                4950 + 100 * (45 + 5050)
            );
            assert_eq!(
                second::boil(|| first::counter() + first::boil(|| 1)),
                4950 + 100 * (45 + 5050)
            );
            println!("both work");
        }
        ["overflow", earlier, culprit] => {
            match earlier {
                "first" => (first::warm_up(), second::warm_up()),
                _ => (second::warm_up(), first::warm_up()),
            };
            match culprit {
                "first" => first::overflow(),
                _ => second::overflow(),
            }
        }
        _ => panic!("{arguments:?}"),
    }
}
