//! A shared library for C that uses kettle inside.

use std::ffi::c_long;
use std::hint::black_box;

/// Sums the numbers below `count`, a coroutine for each.
#[unsafe(no_mangle)]
pub extern "C" fn pot_boil(count: c_long) -> c_long {
    kettle::run(|| {
        let all: Vec<_> = (0..count)
            .map(|n| {
                kettle::thread::spawn(move || {
                    kettle::thread::yield_now();
                    n
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

fn overflow(depth: usize) -> usize {
    if black_box(depth) == usize::MAX {
        return depth;
    }
    let frame = black_box([depth; 64]);
    overflow(depth + 1) + frame[depth % 64]
}

/// Overflows the stack of a coroutine.
#[unsafe(no_mangle)]
pub extern "C" fn pot_overflow() {
    let culprit =
        kettle::thread::Builder::new().name("whistler".into()).spawn(|| overflow(0)).unwrap();
    let _ = culprit.join();
}
