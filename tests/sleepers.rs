//! Very many who sleep at once. Alone in its process: where guards cost mappings, they use them up.

use kettle::runtime::Runtime;
use kettle::thread;
use kettle::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_hundred_thousand_sleepers_all_wake() {
    const COUNT: usize = 100_000;
    let runtime = Runtime::builder().workers(2).stack_size(64 * 1024).build().unwrap();
    let woken = Arc::new(AtomicUsize::new(0));
    let all: Vec<_> = (0..COUNT as u64)
        .map(|number| {
            let woken = Arc::clone(&woken);
            runtime.spawn(move || {
                thread::sleep(Duration::from_micros(number.wrapping_mul(7_919) % 1_000_000));
                woken.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    let mut refused = 0;
    for one in all {
        if let Err(payload) = one.join() {
            let said = payload.downcast_ref::<String>().expect("the reason");
            assert!(said.contains("vm.max_map_count"), "{said}");
            refused += 1;
        }
    }
    if refused > 0 {
        println!("skipped: {refused} of {COUNT} sleepers, for whom there was no guard");
    }
    assert_eq!(woken.load(Ordering::SeqCst) + refused, COUNT);
    assert!(woken.load(Ordering::SeqCst) >= 20_000);
}
