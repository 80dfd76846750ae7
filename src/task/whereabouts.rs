//! Where a task is: what one that waits says of itself when it is asked.

use super::header::Header;
use super::pointer::TaskRef;
use super::state::Unparked;
use crate::sys;
use std::backtrace::Backtrace;
use std::fmt::Write;

/// How many frames of the program's own are named.
const FRAMES: usize = 4;

/// How much stack it takes to find them.
const NEEDED: usize = 40 * 1024;

impl TaskRef {
    /// Asks the task, if it waits in the scheduler, to say on standard error for what and where; it goes on
    /// waiting then.
    pub(crate) fn ask(&self) {
        let nudged = self.state.nudge();
        // Only one that nothing else has woken: it would take that wake-up for the question. It does not run
        // before the next line.
        if nudged == Unparked::Schedule {
            self.attention.set_asked();
        }
        self.make_run(nudged);
    }
}

/// Says on standard error what the running task waits for, for how long it has, and where.
#[cold]
#[inline(never)]
pub(super) fn tell(header: &Header) {
    let name = header.name().unwrap_or("<unnamed>");
    let mut text = format!(
        "  '{name}' (ThreadId({})), {}, for some {:.1} s\n",
        header.id(),
        header.reason(),
        header.waited().as_secs_f64()
    );
    if header.stack.left() < NEEDED {
        text.push_str("      where, there is too little left of its stack to say\n");
    } else {
        let backtrace = Backtrace::force_capture().to_string();
        let mut frames = own_frames(&backtrace).take(FRAMES).peekable();
        if frames.peek().is_none() {
            text.push_str("      where, the program has no debug information to tell by\n");
        }
        for frame in frames {
            // Writing to a string does not fail.
            let _ = writeln!(text, "      {frame}");
        }
    }
    // In one call, so that what several say does not mix.
    sys::write_to_stderr(text.as_bytes());
}

/// Whether a frame's place is in kettle's sources, or std's: where there is little debug information, functions are
/// named without their modules.
fn is_foreign(place: &str) -> bool {
    let place = place.trim_start_matches("at ").trim_start_matches("./");
    let sources = file!().trim_end_matches("task/whereabouts.rs");
    place.starts_with(sources) || place.starts_with("/rustc/")
}

/// The frames of a backtrace that are neither kettle's nor of the standard library: "at PLACE in FUNCTION".
fn own_frames(backtrace: &str) -> impl Iterator<Item = String> {
    let mut lines = backtrace.lines().map(str::trim).peekable();
    core::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let Some((number, function)) = line.split_once(": ") else { continue };
            if number.parse::<u32>().is_err() {
                continue;
            }
            let place = lines.next_if(|line| line.starts_with("at "));
            let foreign = [
                "kettle_trampoline",
                "kettle::",
                "<kettle::",
                "std::",
                "<std::",
                "core::",
                "<core::",
                "alloc::",
                "<alloc::",
                "__",
                "rust_",
            ];
            if foreign.iter().any(|prefix| function.starts_with(prefix))
                || place.is_some_and(is_foreign)
            {
                continue;
            }
            return Some(match place {
                Some(place) => format!("{place} in {function}"),
                None => format!("in {function}"),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::own_frames;

    #[test]
    fn only_the_programs_own_frames_are_named() {
        let backtrace = "   0: std::backtrace::Backtrace::force_capture\n   1: kettle::task::whereabouts::tell\n\
             at ./src/task/whereabouts.rs:20:5\n   2: dining::eat::{{closure}}\n             at ./dining.rs:7:1\n\
             3: core::ops::function::FnOnce::call_once\n   4: dining::sit\n   5: __rust_try\n";
        let frames: Vec<_> = own_frames(backtrace).collect();
        assert_eq!(frames, ["at ./dining.rs:7:1 in dining::eat::{{closure}}", "in dining::sit"]);
    }
}
