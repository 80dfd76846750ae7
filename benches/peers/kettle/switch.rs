//! The raw switch: a resume and a suspend are two.

use kettle::coroutine::{Coroutine, State};
use peers::Report;
use std::time::Instant;

pub(crate) fn switch(count: u64) -> Report {
    let mut coroutine = Coroutine::new(|suspender, mut number: u64| -> u64 {
        loop {
            number = suspender.suspend(number + 1);
        }
    });
    let begin = Instant::now();
    let mut sum = 0;
    for number in 0..count {
        match coroutine.resume(number) {
            State::Yielded(answer) => sum += answer,
            State::Returned(_) => unreachable!("the coroutine has no end"),
        }
    }
    Report::new(sum).ns_each(begin, 2 * count)
}
