//! Mistakes for AddressSanitizer to find in coroutines. `ci/asan` plays them and looks at what was
//! said; in a build without the sanitizer nobody could notice them, and nothing is done.

#![allow(unsafe_code, reason = "mistakes")]

use std::hint::black_box;

#[inline(never)]
fn returns_the_address_of_a_local() -> *mut u64 {
    let mut local = black_box(7_u64);
    black_box(&raw mut local)
}

fn uses_a_frame_after_its_return() {
    kettle::run(|| {
        let dangling = returns_the_address_of_a_local();
        // After a switch, so that it was told of the right stack.
        kettle::thread::spawn(|| black_box(1)).join().unwrap();
        // SAFETY: none: this is the mistake.
        black_box(unsafe { dangling.read_volatile() });
    });
}

fn writes_beyond_a_local() {
    kettle::run(|| {
        kettle::thread::spawn(|| black_box(1)).join().unwrap();
        let mut local = black_box([0_u8; 32]);
        // SAFETY: none: this is the mistake.
        unsafe { black_box(local.as_mut_ptr()).add(black_box(33)).write_volatile(1) };
        black_box(&local);
    });
}

fn writes_beyond_an_allocation() {
    kettle::run(|| {
        let mut block = vec![0_u8; 32];
        kettle::thread::yield_now();
        // SAFETY: none: this is the mistake.
        unsafe { black_box(block.as_mut_ptr()).add(black_box(32)).write_volatile(1) };
    });
}

#[test]
fn a_planted_mistake_is_made() {
    match std::env::var("KETTLE_TEST_MISTAKE").as_deref() {
        Ok("stack-use-after-return") => uses_a_frame_after_its_return(),
        Ok("stack-buffer-overflow") => writes_beyond_a_local(),
        Ok("heap-buffer-overflow") => writes_beyond_an_allocation(),
        Ok(other) => panic!("no mistake is called {other}"),
        Err(_) => println!("skipped: nobody asked for a mistake; ci/asan does"),
    }
}
