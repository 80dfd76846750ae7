//! The date as HTTP writes it, worked out once a second for each worker.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

struct Clock {
    second: u64,
    text: String,
}

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock { second: 0, text: String::new() }) };
}

/// Calls `f` with the date of now. `f` must not wait: the clock is all its thread's.
pub(crate) fn with_now<T>(f: impl FnOnce(&str) -> T) -> T {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    CLOCK.with_borrow_mut(|clock| {
        if clock.second != second || clock.text.is_empty() {
            *clock = Clock { second, text: format(second) };
        }
        f(&clock.text)
    })
}

/// Seconds since 1970 as in `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn format(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut left = days;
    let mut year = 1970;
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let day = DAYS[(days % 7) as usize];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let (month, date) = (MONTHS[month], left + 1);
    format!("{day}, {date:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}
