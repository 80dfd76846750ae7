//! Threads that a program has not made.

/// Whether there are threads here that are not the program's, such as an emulator's own: for all that kettle
/// knows, they might wake somebody, and there is never a report. Asked where there is the main thread alone.
pub(crate) fn has_foreign_threads() -> bool {
    let found = std::fs::read_dir("/proc/self/task").unwrap().count() > 1;
    if found {
        println!("skipped: this process has threads that are not the program's");
    }
    found
}
